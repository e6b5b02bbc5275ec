using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>One worker's claim on the leaves of a step.</summary>
/// <param name="Speed">Leaves per second, relative to the others; positive.</param>
public readonly record struct LeaseCandidate(WorkerId Worker, double Speed);

/// <summary>
/// Deals a step's leaves to workers in contiguous runs: first the earliest finish of the slowest, then the fewest tree
/// nodes on the wire. Workers keep their order, so leases are sticky from step to step.
/// </summary>
public static class Leases
{
    /// <summary>Above this many (leaf, worker) pairs the fewest-nodes search gives way to an even split.</summary>
    private const long SearchBound = 1 << 20;

    /// <summary>Runs in the order of <paramref name="workers"/>, disjoint and together complete; some may be empty.</summary>
    public static IReadOnlyList<LeafRange> Deal(IReadOnlyList<LeaseCandidate> workers, int leafCount)
    {
        ArgumentNullException.ThrowIfNull(workers);
        if (workers.Count == 0) throw new ArgumentException("no worker to lease to", nameof(workers));
        var caps = Caps(workers, leafCount);
        return (long)leafCount * workers.Count * (caps.Max() + 1) > SearchBound * 16L ? Greedy(caps, leafCount) : FewestNodes(caps, leafCount);
    }

    /// <summary>Most leaves per worker such that all are done at the earliest possible time.</summary>
    private static int[] Caps(IReadOnlyList<LeaseCandidate> workers, int leafCount)
    {
        // Hand out one leaf at a time to whoever would finish it first; the last hand-out sets the finish time.
        var counts = new int[workers.Count];
        var finish = 0.0;
        for (var leaf = 0; leaf < leafCount; leaf++)
        {
            var best = 0;
            for (var i = 1; i < counts.Length; i++)
                if ((counts[i] + 1) / workers[i].Speed < (counts[best] + 1) / workers[best].Speed) best = i;
            counts[best]++;
            finish = Math.Max(finish, counts[best] / workers[best].Speed);
        }
        for (var i = 0; i < counts.Length; i++)
            counts[i] = Math.Max(counts[i], (int)Math.Min(leafCount, Math.Floor(finish * workers[i].Speed + 1e-9)));
        return counts;
    }

    private static List<LeafRange> Greedy(int[] caps, int leafCount)
    {
        var runs = new List<LeafRange>(caps.Length);
        var next = 0;
        foreach (var cap in caps)
        {
            var count = Math.Min(cap, leafCount - next);
            runs.Add(new LeafRange(next, count));
            next += count;
        }
        return runs;
    }

    /// <summary>Dynamic programme over (workers served, leaves dealt): fewest nodes, ties to the more even split.</summary>
    private static List<LeafRange> FewestNodes(int[] caps, int leafCount)
    {
        var best = new (int Nodes, int Squares)[caps.Length + 1, leafCount + 1];
        var choice = new int[caps.Length + 1, leafCount + 1];
        for (var w = 0; w <= caps.Length; w++)
            for (var l = 0; l <= leafCount; l++)
                best[w, l] = (int.MaxValue, int.MaxValue);
        best[0, 0] = (0, 0);
        for (var w = 0; w < caps.Length; w++)
        {
            for (var dealt = 0; dealt <= leafCount; dealt++)
            {
                if (best[w, dealt].Nodes == int.MaxValue) continue;
                for (var count = 0; count <= caps[w] && dealt + count <= leafCount; count++)
                {
                    var nodes = count == 0 ? 0 : TreeNode.Cover(new LeafRange(dealt, count), leafCount).Count;
                    var candidate = (best[w, dealt].Nodes + nodes, best[w, dealt].Squares + count * count);
                    if (candidate.CompareTo(best[w + 1, dealt + count]) >= 0) continue;
                    best[w + 1, dealt + count] = candidate;
                    choice[w + 1, dealt + count] = count;
                }
            }
        }
        var runs = new LeafRange[caps.Length];
        for (int w = caps.Length, end = leafCount; w > 0; w--)
        {
            var count = choice[w, end];
            end -= count;
            runs[w - 1] = new LeafRange(end, count);
        }
        return [.. runs];
    }

    /// <summary>Groups single leaves into runs of neighbours.</summary>
    public static IReadOnlyList<LeafRange> Runs(IEnumerable<int> leaves)
    {
        var runs = new List<LeafRange>();
        foreach (var leaf in leaves.Order())
        {
            if (runs.Count > 0 && runs[^1].End == leaf) runs[^1] = new LeafRange(runs[^1].First, runs[^1].Count + 1);
            else runs.Add(new LeafRange(leaf, 1));
        }
        return runs;
    }
}
