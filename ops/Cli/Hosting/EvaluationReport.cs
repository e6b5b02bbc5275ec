using System.Runtime.CompilerServices;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Workers.Data;

[assembly: InternalsVisibleTo("Cluster.Cli.Tests")]
[assembly: InternalsVisibleTo("Cluster.Fuzz.Tests")]

namespace Cluster.Cli.Hosting;

/// <summary>One class of the test split.</summary>
/// <param name="Accuracy">0 to 1, the recall of the class; NaN without samples.</param>
internal sealed record ClassResult(string Name, long Samples, double Accuracy);

/// <summary>What an evaluation found.</summary>
/// <param name="Weights">The checkpoint or file that was evaluated.</param>
/// <param name="Classes">[C], in label order.</param>
/// <param name="Confusion">[C][C] samples by label, then by the class of the largest logit.</param>
internal sealed record EvaluationReport(
    RunOptions Options, string Weights, EvaluationTotals Totals, IReadOnlyList<ClassResult> Classes, IReadOnlyList<IReadOnlyList<long>> Confusion)
{
    /// <summary>Of the run's average of the weights.</summary>
    public bool IsAverage { get; init; }

    /// <param name="predictions">One per sample that the run's options evaluate, in the evaluation's order; -1 for one that could not be decoded: it does not count.</param>
    public static EvaluationReport Of(RunOptions options, string weights, EvaluationTotals totals, IReadOnlyList<int> predictions, IDataset test)
    {
        var confusion = Enumerable.Range(0, test.ClassCount).Select(_ => new long[test.ClassCount]).ToArray();
        var subset = EvaluationSubset.Of(test, options.EvalSamples);
        for (var sample = 0; sample < predictions.Count; sample++)
            if (predictions[sample] >= 0) confusion[test.LabelOf(subset.SampleAt(sample))][predictions[sample]]++;
        var classes = confusion.Select((row, label) => new ClassResult(test.ClassNames[label], row.Sum(), (double)row[label] / row.Sum()));
        return new EvaluationReport(options, weights, totals, [.. classes], confusion);
    }
}
