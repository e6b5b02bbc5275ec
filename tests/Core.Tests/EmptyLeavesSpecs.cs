using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

/// <summary>Trees with leaves of which no sample is left: their siblings pass through, and nothing is added.</summary>
public sealed class EmptyLeavesSpecs
{
    /// <summary>The definition: null is no value at all.</summary>
    private static float? Value(TreeNode node, int leafCount, float?[] leaves)
    {
        if (!node.Exists(leafCount)) return null;
        if (node.IsLeaf) return leaves[node.Index];
        return (Value(node.Left, leafCount, leaves), Value(node.Right, leafCount, leaves)) switch
        {
            ({ } left, { } right) => left + right,
            (null, var right) => right,
            (var left, null) => left,
        };
    }

    private static float Run(ReductionProgram program, Func<TreeNode, float> value)
    {
        var scratch = new float[program.ScratchCount];
        var result = program.Additions.Count == 0 ? value(program.Nodes[0]) : float.NaN;
        float Read(Operand o) => o.Kind == OperandKind.Node ? value(program.Nodes[o.Index]) : scratch[o.Index];
        foreach (var (target, left, right) in program.Additions)
        {
            if (target.Kind == OperandKind.Result) result = Read(left) + Read(right);
            else scratch[target.Index] = Read(left) + Read(right);
        }
        return result;
    }

    /// <summary>Every set of empty leaves of every tree up to nine leaves, but all of them.</summary>
    public static IEnumerable<(int LeafCount, int[] Empty)> Trees()
    {
        for (var leafCount = 1; leafCount <= 9; leafCount++)
            for (var set = 0; set < (1 << leafCount) - 1; set++)
                yield return (leafCount, [.. Enumerable.Range(0, leafCount).Where(leaf => (set >> leaf & 1) == 1)]);
    }

    [Fact]
    public void Root_is_the_definitions_for_every_set_of_empty_leaves_whoever_adds_what_in_which_order()
    {
        var random = new Random(3);
        foreach (var (leafCount, empty) in Trees())
        {
            // -0 in front: a zero that is added would make +0 of it.
            var leaves = Enumerable.Range(0, leafCount).Select(i => empty.Contains(i) ? null : leafCount == 2 || empty.Length == leafCount - 1 ? -0f : (float?)(1f / (3 + i))).ToArray();
            var expected = Value(TreeNode.Root(leafCount), leafCount, leaves)!.Value;
            var tree = new ReductionTree(leafCount, empty);
            var offers = new List<TreeNode>();
            for (var first = 0; first < leafCount;)
            {
                var count = random.Next(1, leafCount - first + 1);
                offers.AddRange(TreeNode.Cover(new LeafRange(first, count), leafCount));
                first += count;
            }
            offers.AddRange(Enumerable.Range(0, 2).Select(_ => TreeNode.Leaf(random.Next(leafCount))));
            foreach (var node in offers.OrderBy(_ => random.Next()))
                if (!tree.Shape.Exists(node)) Assert.Equal(NodeVerdict.NotInTree, tree.Offer(node).Verdict);
                else tree.Offer(node);
            Assert.True(tree.IsComplete);
            Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(Run(tree.Program(), n => Value(n, leafCount, leaves)!.Value)));
            var whole = ReductionProgram.OverLeaves(leafCount, empty);
            Assert.Equal(leafCount - empty.Length, whole.Nodes.Count);
            Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(Run(whole, n => leaves[n.Index]!.Value)));
        }
    }

    [Fact]
    public void Losses_add_up_through_the_same_tree()
    {
        foreach (var (leafCount, empty) in Trees())
        {
            double? Sum(TreeNode node) => !node.Exists(leafCount) || node.IsLeaf && empty.Contains(node.Index) ? null
                : node.IsLeaf ? 1.0 / (3 + node.Index)
                : Sum(node.Left) is { } left ? Sum(node.Right) is { } right ? left + right : left : Sum(node.Right);
            // What stands for an empty leaf is never looked at.
            double[] leaves = [.. Enumerable.Range(0, leafCount).Select(i => empty.Contains(i) ? double.NaN : 1.0 / (3 + i))];
            Assert.Equal(BitConverter.DoubleToInt64Bits(Sum(TreeNode.Root(leafCount))!.Value), BitConverter.DoubleToInt64Bits(TreeSum.Of(leaves, empty)));
        }
        Assert.Equal(0, TreeSum.Of([double.NaN, 4], [0, 1]));
        Assert.True(double.IsNegative(TreeSum.Of([-0.0, 0], [1])));
    }

    [Fact]
    public void A_tree_is_complete_without_its_empty_leaves_and_not_before_the_others()
    {
        var tree = new ReductionTree(8, [2, 3, 7]);
        Assert.Equal(5, tree.Shape.FilledCount);
        Assert.Equal(NodeVerdict.NotInTree, tree.Offer(new TreeNode(1, 1)).Verdict);
        Assert.True(tree.Offer(new TreeNode(2, 0)).IsAccepted);         // 0 and 1
        Assert.True(tree.Offer(new TreeNode(1, 2)).IsAccepted);
        Assert.False(tree.IsComplete);
        Assert.True(tree.Offer(new TreeNode(0, 6)).IsAccepted);
        Assert.True(tree.IsComplete);
        Assert.Equal(2, tree.Program().Additions.Count);
    }

    [Theory]
    [InlineData(4, new[] { 0, 3 }, true), InlineData(4, new[] { 3, 0 }, false), InlineData(4, new[] { 1, 1 }, false), InlineData(4, new[] { -1 }, false), InlineData(4, new[] { 4 }, false), InlineData(1, new[] { 0 }, true)]
    public void Empty_leaves_ascend_and_are_the_steps(int leafCount, int[] empty, bool isPossible)
    {
        Assert.Equal(isPossible, TreeShape.IsPossible(leafCount, empty));
        if (!isPossible) Assert.Throws<ArgumentException>(() => new TreeShape(leafCount, empty));
        else Assert.True(new TreeShape(leafCount, empty).IsSame(leafCount, empty));
    }

    [Fact]
    public void Shapes_differ_in_leaves_or_in_what_is_empty()
    {
        var shape = new TreeShape(4, [1]);
        Assert.True(shape.IsEmpty(1));
        Assert.False(shape.IsEmpty(0));
        Assert.False(shape.IsSame(4, null));
        Assert.False(shape.IsSame(4, [2]));
        Assert.False(shape.IsSame(5, [1]));
        Assert.False(shape.IsSame(4, [9]));
        Assert.True(new TreeShape(4).IsSame(4, []));
    }
}
