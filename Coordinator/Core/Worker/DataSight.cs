using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Whether a worker can read its data at all (decision 0016). A damaged image is left out of its step; a worker that can
/// decode less than half of what it is to read has lost its data, and is of no use to a step that others can read.
/// </summary>
/// <param name="Undecoded">Samples of the step that it could not decode, in all attempts.</param>
/// <param name="Decoded">Those that it could, in this attempt.</param>
public readonly record struct DataSight(Term Term, StepId Step, int Attempt, int Undecoded, int Decoded)
{
    /// <summary>Too many samples, and more than half of them.</summary>
    public bool IsBlind => Undecoded > Limits.FewUndecoded && Undecoded > Decoded;

    /// <summary>One more leaf.</summary>
    public DataSight With(BeginStep order, int undecoded, int decoded)
    {
        ArgumentNullException.ThrowIfNull(order);
        var isSameStep = (order.Term, order.Step) == (Term, Step);
        return new DataSight(
            order.Term, order.Step, order.Attempt,
            (isSameStep ? Undecoded : 0) + undecoded,
            (isSameStep && order.Attempt == Attempt ? Decoded : 0) + decoded);
    }
}
