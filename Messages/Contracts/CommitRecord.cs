using MessagePack;

namespace Cluster.Contracts;

/// <summary>What one leaf of a committed step was.</summary>
/// <param name="Digest">Of the sample ids that the worker says it decoded, in order.</param>
[MessagePackObject]
public sealed record LeafRecord(
    [property: Key(0)] WorkerId Worker,
    [property: Key(1)] int Samples,
    [property: Key(2)] ulong Digest);

/// <summary>Evaluation results that were known when a step was decided: the rate of a plateau schedule and the end of a run hang on them.</summary>
/// <param name="Loss">Mean cross-entropy over the test set, in nats.</param>
/// <param name="Accuracy">0 to 1.</param>
[MessagePackObject]
public sealed record EvaluationNote(
    [property: Key(0)] WeightsVersion Version,
    [property: Key(1)] double Loss,
    [property: Key(2)] double Accuracy);

/// <summary>The decision about one step; writing it to the log is the commit point, everything after it is redo.</summary>
/// <param name="Samples">n: those that were decoded.</param>
/// <param name="Loss">Mean training loss over the n samples, in nats.</param>
/// <param name="Accuracy">Fraction of the n samples that were right, 0 to 1.</param>
/// <param name="GradNorm">Norm of the mean gradient before clipping.</param>
/// <param name="Scale">Factor of the clipping, 1 when nothing was clipped; where units or elements are clipped by themselves, the smallest of their factors.</param>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Applied">False for a skipped step: version v has the weights of v-1.</param>
/// <param name="Leaves">In leaf order.</param>
/// <param name="Quarantined">Workers whose bits were found wrong in this step: they take no part from here on. Null = none.</param>
/// <param name="TensorScales">A factor per parameter tensor, in the layout's order, where the rule has one: of the clipping of its gradient, or of its rate (LARS). Null = the rule has none.</param>
/// <param name="Evaluation">What the evaluation of version <see cref="StepId.Consumes"/> gave, when there was one. Null = none.</param>
/// <param name="LeftOut">Samples of this step that could not be decoded, ascending: no leaf counts them, and a replay leaves out exactly these. Null = none.</param>
[MessagePackObject]
public sealed record CommitRecord(
    [property: Key(0)] Term Term,
    [property: Key(1)] StepId Step,
    [property: Key(2)] int Attempt,
    [property: Key(3)] long Epoch,
    [property: Key(4)] int Samples,
    [property: Key(5)] double Loss,
    [property: Key(6)] double Accuracy,
    [property: Key(7)] double GradNorm,
    [property: Key(8)] double Scale,
    [property: Key(9)] double LearningRate,
    [property: Key(10)] bool Applied,
    [property: Key(11)] IReadOnlyList<LeafRecord> Leaves,
    [property: Key(12)] IReadOnlyList<WorkerId>? Quarantined = null,
    [property: Key(13)] IReadOnlyList<double>? TensorScales = null,
    [property: Key(14)] EvaluationNote? Evaluation = null,
    [property: Key(15)] IReadOnlyList<int>? LeftOut = null)
{
    /// <summary>Leaves with at least one sample: by so many the summed buffers are divided.</summary>
    [IgnoreMember] public int FilledLeaves => Leaves.Count(static l => l.Samples > 0);

    /// <summary>The same as numbers, ascending: leaves without a sample. Null = none.</summary>
    [IgnoreMember]
    public IReadOnlyList<int>? EmptyLeaves
    {
        get
        {
            int[] empty = [.. Enumerable.Range(0, Leaves.Count).Where(i => Leaves[i].Samples == 0)];
            return empty.Length == 0 ? null : empty;
        }
    }
}
