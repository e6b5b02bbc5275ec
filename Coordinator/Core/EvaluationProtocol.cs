using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>Totals over the test set, added in batch order: the same for any number of workers.</summary>
public sealed record EvaluationTotals(WeightsVersion Version, long Samples, double Loss, double Accuracy, double Top5);

/// <summary>Which batches of one evaluation are where. A value; see <see cref="Advance"/>.</summary>
public sealed record EvaluationState(WeightsVersion Version, ImmutableArray<BatchEvaluated?> Results, ImmutableArray<WorkerId?> Holders)
{
    public bool IsComplete => Results.All(static r => r is not null);

    /// <summary>Deals <paramref name="batches"/> batches to the workers, one run each.</summary>
    public static (EvaluationState State, ImmutableArray<(WorkerId Worker, IReadOnlyList<int> Batches)> Grants) Begin(
        WeightsVersion version, int batches, IReadOnlyCollection<WorkerId> workers)
    {
        ArgumentNullException.ThrowIfNull(workers);
        var state = new EvaluationState(version, [.. new BatchEvaluated?[batches]], [.. new WorkerId?[batches]]);
        return state.Deal(workers);
    }

    /// <summary>Deals every batch that nobody holds, evenly and in order.</summary>
    private (EvaluationState, ImmutableArray<(WorkerId, IReadOnlyList<int>)>) Deal(IReadOnlyCollection<WorkerId> workers)
    {
        var open = Enumerable.Range(0, Results.Length).Where(i => Results[i] is null && Holders[i] is null).ToArray();
        if (workers.Count == 0 || open.Length == 0) return (this, []);
        var holders = Holders.ToBuilder();
        var grants = ImmutableArray.CreateBuilder<(WorkerId, IReadOnlyList<int>)>();
        var index = 0;
        foreach (var worker in workers.Order())
        {
            var first = (int)((long)index * open.Length / workers.Count);
            var end = (int)((long)++index * open.Length / workers.Count);
            if (first == end) continue;
            foreach (var batch in open[first..end]) holders[batch] = worker;
            grants.Add((worker, open[first..end]));
        }
        return (this with { Holders = holders.ToImmutable() }, grants.ToImmutable());
    }

    /// <summary>Takes one batch's sums; a copy that comes late is dropped.</summary>
    public EvaluationState Advance(BatchEvaluated result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (result.Version != Version || result.Batch < 0 || result.Batch >= Results.Length || Results[result.Batch] is not null) return this;
        return this with { Results = Results.SetItem(result.Batch, result) };
    }

    /// <summary>Deals the batches of a lost worker to the others.</summary>
    public (EvaluationState State, ImmutableArray<(WorkerId Worker, IReadOnlyList<int> Batches)> Grants) Lost(WorkerId lost, IReadOnlyCollection<WorkerId> survivors)
    {
        ArgumentNullException.ThrowIfNull(survivors);
        var holders = Holders.Select((h, i) => h == lost && Results[i] is null ? null : h).ToImmutableArray();
        return (this with { Holders = holders }).Deal(survivors);
    }

    public EvaluationTotals Totals()
    {
        long samples = 0, correct = 0, top5 = 0;
        var loss = 0.0;
        foreach (var result in Results)
        {
            samples += result!.Samples;
            loss += result.LossSum;
            correct += result.CorrectCount;
            top5 += result.Top5Count;
        }
        return new EvaluationTotals(Version, samples, loss / samples, (double)correct / samples, (double)top5 / samples);
    }
}
