using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Workers.Actors;

namespace Cluster.Actors.Tests;

public sealed class NodeAccumulatorSpecs
{
    /// <summary>Devices of one worker add their leaves at once, in any order, some of them spoilt.</summary>
    [Fact]
    public void Leaves_that_several_threads_add_give_the_nodes_and_bits_that_one_gives()
    {
        const int Leaves = 64, Threads = 4, Rounds = 200;
        var random = new Random(5);
        for (var round = 0; round < Rounds; round++)
        {
            int[] empty = [.. Enumerable.Range(0, Leaves).Where(_ => random.Next(8) == 0)];
            int[] spoilt = [.. Enumerable.Range(0, Leaves).Where(_ => random.Next(40) == 0)];
            LeafRange[] leases = [new(random.Next(4), 20 + random.Next(10)), new(40, 10 + random.Next(14))];
            var shape = new TreeShape(Leaves, empty);
            int[] leaves = [.. leases.SelectMany(static l => Enumerable.Range(l.First, l.Count)).Where(l => !shape.IsEmpty(l))];
            var alone = Added(new NodeAccumulator(), [leaves]);
            random.Shuffle(leaves);
            Assert.Equal(alone, Added(new NodeAccumulator(), [.. leaves.Chunk((leaves.Length + Threads - 1) / Threads)]));

            SortedDictionary<TreeNode, int> Added(NodeAccumulator accumulator, int[][] shares)
            {
                var pushed = new SortedDictionary<TreeNode, int>();
                accumulator.Begin(leases, Leaves, empty);
                using var start = new Barrier(shares.Length);
                var threads = shares.Select(share => new Thread(() =>
                {
                    start.SignalAndWait();
                    foreach (var leaf in share)
                    {
                        var buffer = NativeBuffer.Allocate(1);
                        buffer.Span[0] = 1f / (3 + leaf);
                        if (accumulator.Add(leaf, buffer, !spoilt.Contains(leaf)) is not { } node) continue;
                        lock (pushed) pushed.Add(node.Node, BitConverter.SingleToInt32Bits(node.Buffer.Span[0]));
                        node.Buffer.Dispose();
                    }
                })).ToArray();
                foreach (var thread in threads) thread.Start();
                foreach (var thread in threads) thread.Join();
                accumulator.Clear();
                return pushed;
            }
        }
    }

    /// <summary>Every lease of eight leaves and every set of empty ones: the nodes that come out are those that the lease covers, each with the tree's own bits.</summary>
    [Fact]
    public void A_leaf_without_samples_passes_its_sibling_through_within_a_lease()
    {
        const int Leaves = 8;
        float[] values = [.. Enumerable.Range(0, Leaves).Select(static i => i < 2 ? -0f : 1f / (3 + i))];
        for (var set = 0; set < (1 << Leaves) - 1; set++)
        {
            int[] empty = [.. Enumerable.Range(0, Leaves).Where(leaf => (set >> leaf & 1) == 1)];
            var shape = new TreeShape(Leaves, empty);
            foreach (var lease in new LeafRange[] { new(0, 8), new(0, 4), new(1, 6), new(3, 5), new(5, 1) })
            {
                var accumulator = new NodeAccumulator();
                accumulator.Begin([lease], Leaves, empty);
                var pushed = new Dictionary<TreeNode, float>();
                foreach (var leaf in Enumerable.Range(lease.First, lease.Count).Where(l => !shape.IsEmpty(l)))
                {
                    var buffer = NativeBuffer.Allocate(1);
                    buffer.Span[0] = values[leaf];
                    if (accumulator.Add(leaf, buffer) is not { } node) continue;
                    pushed.Add(node.Node, node.Buffer.Span[0]);
                    node.Buffer.Dispose();
                }
                Assert.Equal(TreeNode.Cover(lease, Leaves).Where(shape.Exists).Order(), pushed.Keys.Order());
                foreach (var (node, value) in pushed) Assert.Equal(BitConverter.SingleToInt32Bits(Value(node)!.Value), BitConverter.SingleToInt32Bits(value));
                accumulator.Clear();
            }

            float? Value(TreeNode node) => !shape.Exists(node) ? null : node.IsLeaf ? values[node.Index]
                : Value(node.Left) is { } left ? Value(node.Right) is { } right ? left + right : left : Value(node.Right);
        }
    }
}
