using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

public class LeasesSpecs
{
    private static LeaseCandidate[] Equal(int workers) => [.. Enumerable.Range(0, workers).Select(i => new LeaseCandidate(new WorkerId(i), 1))];

    [Fact]
    public void Leases_are_disjoint_complete_and_in_order_for_any_workers_and_leaves()
    {
        for (var workers = 1; workers <= 9; workers++)
        {
            for (var leaves = 1; leaves <= 33; leaves++)
            {
                var runs = Leases.Deal(Equal(workers), leaves);
                Assert.Equal(workers, runs.Count);
                Assert.Equal(Enumerable.Range(0, leaves), runs.SelectMany(r => Enumerable.Range(r.First, r.Count)));
                Assert.True(runs.Max(r => r.Count) == (leaves + workers - 1) / workers, $"{workers} workers, {leaves} leaves: somebody has more than the earliest finish allows");
            }
        }
    }

    [Fact]
    public void Among_equally_fast_deals_the_one_with_the_fewest_nodes_wins()
    {
        // 6 leaves on 2 workers: 3+3 needs 2+2 nodes and nothing else finishes as early.
        Assert.Equal([3, 3], Leases.Deal(Equal(2), 6).Select(r => r.Count));
        // 5 leaves on 3 workers: 2+2+1 is three nodes, 1+2+2 would be five.
        var runs = Leases.Deal(Equal(3), 5);
        Assert.Equal(3, runs.Sum(r => TreeNode.Cover(r, 5).Count));
        Assert.Equal([4, 4], Leases.Deal(Equal(2), 8).Select(r => r.Count));
    }

    [Fact]
    public void Shares_follow_speed()
    {
        var runs = Leases.Deal([new(new WorkerId(0), 3), new(new WorkerId(1), 1)], 8);
        Assert.Equal([6, 2], runs.Select(r => r.Count));
        var idle = Leases.Deal([new(new WorkerId(0), 100), new(new WorkerId(1), 1)], 8);
        Assert.Equal([8, 0], idle.Select(r => r.Count));
    }

    [Fact]
    public void Many_workers_and_leaves_are_dealt_quickly_and_completely()
    {
        var runs = Leases.Deal(Equal(300), Limits.MaxMicrobatches);
        Assert.Equal(Limits.MaxMicrobatches, runs.Sum(r => r.Count));
        Assert.True(runs.Max(r => r.Count) <= 14);
    }

    [Fact]
    public void Runs_group_neighbours()
    {
        Assert.Equal([new LeafRange(1, 3), new LeafRange(7, 1)], Leases.Runs([3, 1, 2, 7]));
        Assert.Empty(Leases.Runs([]));
    }
}
