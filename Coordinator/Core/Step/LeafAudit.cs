using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// The comparison of one leaf's bits between workers (silent data corruption: Dixit et al. 2021; Hochschild et al.
/// 2021): a leaf is a function of its step alone, so healthy devices give one hash.
/// </summary>
/// <param name="Leaf">Which leaf of the step.</param>
/// <param name="Evidence">Every hash that a worker has reported in any attempt at this step, in order.</param>
/// <param name="Answered">Workers that have reported in this attempt.</param>
/// <param name="IsDisputed">Two hashes differed: the step is not decided before it is known who is wrong.</param>
public sealed record LeafAudit(int Leaf, ImmutableSortedDictionary<WorkerId, ImmutableArray<string>> Evidence, ImmutableSortedSet<WorkerId> Answered, bool IsDisputed)
{
    /// <summary>When it turned out that nobody is left to ask, in milliseconds; null while somebody is.</summary>
    public double? StuckAt { get; init; }

    public static LeafAudit Of(int leaf) => new(leaf, ImmutableSortedDictionary<WorkerId, ImmutableArray<string>>.Empty, [], IsDisputed: false);

    /// <summary>The same leaf in the next attempt: what was reported stays.</summary>
    public LeafAudit Again() => this with { Answered = [] };

    public LeafAudit Heard(WorkerId worker, string hash) =>
        this with { Evidence = Evidence.SetItem(worker, Evidence.GetValueOrDefault(worker, []).Add(hash)), Answered = Answered.Add(worker), StuckAt = null };

    /// <summary>All hashes are one.</summary>
    public bool IsUnanimous => Evidence.Values.SelectMany(static h => h).Distinct().Take(2).Count() < 2;

    /// <summary>
    /// Who reported wrong bits; empty while that cannot be told. Right is what two workers agree on and no other two do
    /// otherwise. Without such two, a worker that contradicts itself is wrong if it is the only one that does.
    /// </summary>
    public ImmutableArray<WorkerId> Liars()
    {
        if (IsUnanimous) return [];
        var agreed = Evidence.SelectMany(static e => e.Value.Distinct().Select(h => (Hash: h, Worker: e.Key)))
            .GroupBy(static p => p.Hash, static p => p.Worker).Where(static g => g.Count() > 1).ToArray();
        if (agreed.Length == 1) return [.. Evidence.Where(e => e.Value.Any(h => h != agreed[0].Key)).Select(static e => e.Key)];
        var fickle = Evidence.Where(static e => e.Value.Distinct().Take(2).Count() > 1).Select(static e => e.Key).ToArray();
        return agreed.Length == 0 && fickle.Length == 1 && Evidence.Count > 1 ? [.. fickle] : [];
    }

    /// <summary>For a sentence: who reported what.</summary>
    public override string ToString() =>
        string.Join("; ", Evidence.SelectMany(static e => e.Value.Distinct().Select(h => (Hash: h, Worker: e.Key)))
            .GroupBy(static p => p.Hash, static p => p.Worker).OrderByDescending(static g => g.Count())
            .Select(static g => $"{string.Join(" and ", g)}: {g.Key[..Math.Min(8, g.Key.Length)]}…"));
}
