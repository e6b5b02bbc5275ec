using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Workers.Actors;

namespace Cluster.Actors.Tests;

public sealed class NodeAccumulatorSpecs
{
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
