namespace Cluster.Coordinator.Core;

/// <summary>
/// What an evaluation adds up over samples: losses in float64, and whole counts. Sums of parts add up to the sum of the
/// whole; add the parts in sample order, and the bits do not depend on who computed which.
/// </summary>
/// <param name="Samples">Rows seen.</param>
/// <param name="LossSum">Sum of the samples' losses: cross-entropies in nats, or squared errors. NaN if a row had a NaN or +∞ among its logits, as in PyTorch.</param>
/// <param name="Correct">Rows whose label has the largest logit; of equal logits the first counts as larger.</param>
/// <param name="Top5Correct">Rows whose label is among the five largest.</param>
/// <param name="BrokenRows">Rows with a NaN or +∞ among their logits; they are never correct.</param>
/// <param name="ClassSamples">[C] rows per label.</param>
/// <param name="ClassCorrect">[C] correct rows per label.</param>
public sealed record EvaluationSums(
    long Samples,
    double LossSum,
    long Correct,
    long Top5Correct,
    long BrokenRows,
    IReadOnlyList<long> ClassSamples,
    IReadOnlyList<long> ClassCorrect)
{
    /// <summary>Nothing seen yet.</summary>
    public static EvaluationSums Empty(int classes) => new(0, 0, 0, 0, 0, new long[classes], new long[classes]);

    /// <summary>Mean loss; NaN when nothing was seen.</summary>
    public double Loss => LossSum / Samples;

    /// <summary>0 to 1; NaN when nothing was seen.</summary>
    public double Accuracy => (double)Correct / Samples;

    /// <summary>0 to 1; NaN when nothing was seen.</summary>
    public double Top5Accuracy => (double)Top5Correct / Samples;

    /// <summary>These samples and then <paramref name="next"/>.</summary>
    public EvaluationSums Then(EvaluationSums next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new EvaluationSums(
            Samples + next.Samples, LossSum + next.LossSum, Correct + next.Correct, Top5Correct + next.Top5Correct, BrokenRows + next.BrokenRows,
            [.. ClassSamples.Zip(next.ClassSamples, static (a, b) => a + b)],
            [.. ClassCorrect.Zip(next.ClassCorrect, static (a, b) => a + b)]);
    }

    /// <summary>
    /// Cross-entropy of softmax(<paramref name="logitScale"/> · logits) as torch.nn.functional.cross_entropy defines it
    /// (label smoothing ε: the label weighs 1 − ε, every class ε / C), summed in row order in float64. As a squared error:
    /// ½‖<paramref name="logitScale"/> · logits − target‖² with those same weights as the target.
    /// </summary>
    /// <param name="logits">[n, <paramref name="classes"/>] row by row.</param>
    /// <param name="labels">[n], each in [0, C).</param>
    /// <exception cref="ArgumentException">The lengths do not fit, or a label is out of range.</exception>
    public static EvaluationSums FromLogits(ReadOnlySpan<float> logits, ReadOnlySpan<long> labels, int classes, double logitScale = 1, double labelSmoothing = 0, bool squaredError = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        if (logits.Length != (long)labels.Length * classes)
            throw new ArgumentException($"{logits.Length} logits for {labels.Length} labels of {classes} classes", nameof(logits));
        long[] classSamples = new long[classes], classCorrect = new long[classes];
        var lossSum = 0.0;
        long correct = 0, top5 = 0, broken = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            var values = logits.Slice(row * classes, classes);
            if (labels[row] < 0 || labels[row] >= classes) throw new ArgumentException($"row {row} has label {labels[row]}, the model has {classes} classes", nameof(labels));
            var label = (int)labels[row];
            classSamples[label]++;
            if (IsBroken(values))
            {
                broken++;
                lossSum = double.NaN;
                continue;
            }
            lossSum += squaredError
                ? SquaredError(values, label, logitScale, labelSmoothing)
                : CrossEntropy(values, label, logitScale, labelSmoothing);
            var rank = Rank(values, label);
            if (rank < 5) top5++;
            if (rank > 0) continue;
            correct++;
            classCorrect[label]++;
        }
        return new EvaluationSums(labels.Length, lossSum, correct, top5, broken, classSamples, classCorrect);
    }

    private static bool IsBroken(ReadOnlySpan<float> row)
    {
        foreach (var value in row)
            if (float.IsNaN(value) || float.IsPositiveInfinity(value)) return true;
        return false;
    }

    private static double CrossEntropy(ReadOnlySpan<float> row, int label, double scale, double smoothing)
    {
        var largest = double.NegativeInfinity;
        foreach (var value in row) largest = Math.Max(largest, value * scale);
        double exponentials = 0, sum = 0;
        foreach (var value in row)
        {
            exponentials += Math.Exp(value * scale - largest);
            sum += value * scale;
        }
        var logSum = largest + Math.Log(exponentials);
        var own = logSum - row[label] * scale;
        return smoothing == 0 ? own : (1 - smoothing) * own + smoothing / row.Length * (row.Length * logSum - sum);
    }

    private static double SquaredError(ReadOnlySpan<float> row, int label, double scale, double smoothing)
    {
        var sum = 0.0;
        for (var i = 0; i < row.Length; i++)
        {
            var target = (i == label ? 1 - smoothing : 0) + smoothing / row.Length;
            var error = row[i] * scale - target;
            sum += error * error;
        }
        return sum / 2;
    }

    /// <summary>How many classes come before the label.</summary>
    private static int Rank(ReadOnlySpan<float> row, int label)
    {
        var rank = 0;
        for (var i = 0; i < row.Length; i++)
            if (row[i] > row[label] || (row[i] == row[label] && i < label)) rank++;
        return rank;
    }
}
