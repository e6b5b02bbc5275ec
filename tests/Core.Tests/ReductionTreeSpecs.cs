using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class ReductionTreeSpecs
{
    private static readonly int[] LeafCounts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 31, 33];

    /// <summary>value(node) by the definition: the sum of the children, or the left one alone. float32 elementwise.</summary>
    private static float[] Reference(TreeNode node, int leafCount, float[][] leaves)
    {
        if (node.IsLeaf) return leaves[node.Index];
        var left = Reference(node.Left, leafCount, leaves);
        if (!node.Right.Exists(leafCount)) return left;
        var right = Reference(node.Right, leafCount, leaves);
        return [.. left.Zip(right, (a, b) => a + b)];
    }

    private static float[] Run(ReductionProgram program, Func<TreeNode, float[]> value)
    {
        var nodes = program.Nodes.Select(value).ToArray();
        if (program.Additions.Count == 0) return nodes[0];
        var scratch = new float[program.ScratchCount][];
        float[] Read(Operand o) => o.Kind == OperandKind.Node ? nodes[o.Index] : scratch[o.Index];
        foreach (var (target, left, right) in program.Additions)
        {
            var sum = Read(left).Zip(Read(right), (a, b) => a + b).ToArray();
            if (target.Kind == OperandKind.Result) return sum;
            scratch[target.Index] = sum;
        }
        throw new InvalidOperationException("no addition wrote the result");
    }

    [Fact]
    public void Root_has_the_same_bits_for_any_assignment_arrival_order_and_overlap()
    {
        var random = new Random(5);
        foreach (var leafCount in LeafCounts)
        {
            var leaves = Enumerable.Range(0, leafCount).Select(i => ArithmeticFixtures.Floats(17, (ulong)(100 + i))).ToArray();
            var expected = Reference(TreeNode.Root(leafCount), leafCount, leaves);
            for (var round = 0; round < 60; round++)
            {
                var tree = new ReductionTree(leafCount);
                foreach (var node in Offers(leafCount, random))
                {
                    tree.Offer(node);
                    AssertDisjoint(tree, leafCount);
                }
                Assert.True(tree.IsComplete);
                ArithmeticFixtures.SameBits(expected, Run(tree.Program(), n => Reference(n, leafCount, leaves)), $"L={leafCount}, round {round}");
            }
        }
    }

    /// <summary>A random cut of the leaves into workers' runs, the nodes that cover them, stray nodes and copies among them, shuffled.</summary>
    private static List<TreeNode> Offers(int leafCount, Random random)
    {
        var offers = new List<TreeNode>();
        for (var first = 0; first < leafCount;)
        {
            var count = random.Next(1, leafCount - first + 1);
            offers.AddRange(TreeNode.Cover(new LeafRange(first, count), leafCount));
            first += count;
        }
        for (var extra = random.Next(5); extra > 0; extra--)
        {
            var node = TreeNode.Leaf(random.Next(leafCount));
            for (var up = random.Next(TreeNode.Root(leafCount).Level + 1); up > 0; up--) node = node.Parent;
            offers.Add(node);
        }
        return [.. offers.OrderBy(_ => random.Next())];
    }

    private static void AssertDisjoint(ReductionTree tree, int leafCount)
    {
        var covered = tree.Accepted.SelectMany(n => Enumerable.Range(n.Leaves(leafCount).First, n.Leaves(leafCount).Count)).ToArray();
        Assert.Equal(covered.Length, covered.Distinct().Count());
        Assert.Equal(covered.Length == leafCount, tree.IsComplete);
    }

    [Fact]
    public void Minus_zero_passes_through_where_the_right_child_is_missing()
    {
        // A sum that starts from +0, or adds +0 for a missing child, would give +0.
        foreach (var leafCount in LeafCounts)
        {
            var tree = new ReductionTree(leafCount);
            for (var leaf = leafCount - 1; leaf >= 0; leaf--) tree.Offer(TreeNode.Leaf(leaf));
            ArithmeticFixtures.SameBits([-0f], Run(tree.Program(), _ => [-0f]), $"L={leafCount}");
        }
    }

    [Fact]
    public void Ancestor_supersedes_its_descendants()
    {
        var tree = new ReductionTree(8);
        Assert.True(tree.Offer(TreeNode.Leaf(0)).IsAccepted);
        Assert.True(tree.Offer(TreeNode.Leaf(3)).IsAccepted);
        Assert.True(tree.Offer(TreeNode.Leaf(4)).IsAccepted);
        var offer = tree.Offer(new TreeNode(2, 0));
        Assert.Equal(NodeVerdict.Accepted, offer.Verdict);
        Assert.Equal([TreeNode.Leaf(0), TreeNode.Leaf(3)], offer.Superseded);
        Assert.Equal([TreeNode.Leaf(4), new TreeNode(2, 0)], tree.Accepted.Order());
    }

    [Fact]
    public void Descendants_copies_and_late_nodes_are_refused_and_counted()
    {
        var tree = new ReductionTree(8);
        tree.Offer(new TreeNode(2, 0));
        Assert.Equal(NodeVerdict.Covered, tree.Offer(TreeNode.Leaf(3)).Verdict);
        Assert.Equal(NodeVerdict.Covered, tree.Offer(new TreeNode(1, 1)).Verdict);
        Assert.Equal(NodeVerdict.Duplicate, tree.Offer(new TreeNode(2, 0)).Verdict);
        Assert.False(tree.IsComplete);
        Assert.True(tree.Offer(new TreeNode(2, 1)).IsAccepted);
        Assert.True(tree.IsComplete);
        Assert.Equal(NodeVerdict.Late, tree.Offer(new TreeNode(3, 0)).Verdict);
        Assert.Equal((2, 1, 1), (tree.RefusedCount(NodeVerdict.Covered), tree.RefusedCount(NodeVerdict.Duplicate), tree.RefusedCount(NodeVerdict.Late)));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 5)]
    [InlineData(1, 3)]
    [InlineData(4, 0)]
    [InlineData(32, 0)]
    [InlineData(31, 1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(int.MinValue, int.MinValue)]
    public void Nodes_that_do_not_exist_are_refused(int level, int index)
    {
        var tree = new ReductionTree(5);
        Assert.Equal(NodeVerdict.NotInTree, tree.Offer(new TreeNode(level, index)).Verdict);
        Assert.Equal(1, tree.RefusedCount(NodeVerdict.NotInTree));
        Assert.Empty(tree.Accepted);
    }

    [Fact]
    public void Program_of_an_incomplete_tree_is_a_bug_of_the_caller()
    {
        var tree = new ReductionTree(4);
        tree.Offer(TreeNode.Leaf(1));
        Assert.Contains("1 of 4", Assert.Throws<InvalidOperationException>(() => tree.Program()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Program_needs_no_more_temporaries_than_the_tree_is_deep()
    {
        foreach (var leafCount in LeafCounts)
            Assert.InRange(ReductionProgram.OverLeaves(leafCount).ScratchCount, 0, Math.Max(0, TreeNode.Root(leafCount).Level));
        Assert.Equal(0, ReductionProgram.OverLeaves(2).ScratchCount);
    }
}
