namespace Cluster.Coordinator.Core;

/// <summary>From logits to classes.</summary>
public static class Predictions
{
    /// <summary>The class of the largest logit per row; of equal logits the first counts as larger, of NaN none.</summary>
    /// <param name="logits">[n, <paramref name="classes"/>] row by row.</param>
    public static int[] Of(ReadOnlySpan<float> logits, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        var predictions = new int[logits.Length / classes];
        for (var row = 0; row < predictions.Length; row++)
        {
            var values = logits.Slice(row * classes, classes);
            var best = 0;
            for (var c = 1; c < classes; c++)
                if (values[c] > values[best]) best = c;
            predictions[row] = best;
        }
        return predictions;
    }
}
