using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class TreeNodeSpecs
{
    private static int FewestNodes(TreeNode node, LeafRange run, int leafCount)
    {
        var leaves = node.Leaves(leafCount);
        var inside = Enumerable.Range(leaves.First, leaves.Count).Count(run.Contains);
        return inside == 0 ? 0 : inside == leaves.Count ? 1 : FewestNodes(node.Left, run, leafCount) + FewestNodes(node.Right, run, leafCount);
    }

    [Fact]
    public void Cover_is_disjoint_complete_and_minimal_for_every_run()
    {
        for (var leafCount = 1; leafCount <= 33; leafCount++)
        {
            for (var first = 0; first < leafCount; first++)
            {
                for (var count = 0; count <= leafCount - first; count++)
                {
                    var run = new LeafRange(first, count);
                    var cover = TreeNode.Cover(run, leafCount);
                    Assert.Equal(Enumerable.Range(first, count), cover.SelectMany(n => Enumerable.Range(n.Leaves(leafCount).First, n.Leaves(leafCount).Count)));
                    Assert.Equal(FewestNodes(TreeNode.Root(leafCount), run, leafCount), cover.Count);
                    Assert.All(cover, n => Assert.True(n.Exists(leafCount)));
                }
            }
        }
    }

    [Fact]
    public void Runs_past_the_last_leaf_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TreeNode.Cover(new LeafRange(3, 4), 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => TreeNode.Cover(new LeafRange(-1, 2), 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => TreeNode.Cover(new LeafRange(5, 1), 5));
    }

    [Fact]
    public void Root_is_the_lowest_node_over_all_leaves()
    {
        foreach (var (leafCount, level) in new[] { (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (4096, 12) })
        {
            Assert.Equal(new TreeNode(level, 0), TreeNode.Root(leafCount));
            Assert.Equal(new LeafRange(0, leafCount), TreeNode.Root(leafCount).Leaves(leafCount));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => TreeNode.Root(0));
    }

    [Fact]
    public void Relatives_agree_with_each_other()
    {
        for (var index = 0; index < 8; index++)
        {
            var node = new TreeNode(2, index);
            Assert.Equal(node, node.Left.Parent);
            Assert.Equal(node, node.Right.Parent);
            Assert.Equal(node.Right, node.Left.Sibling);
            Assert.Equal(node.Left, node.Right.Sibling);
            Assert.True(node.Covers(node) && node.Covers(node.Left.Right) && node.Parent.Covers(node));
            Assert.False(node.Covers(node.Parent) || node.Covers(node.Sibling) || node.Left.Covers(node.Right));
        }
    }

    [Fact]
    public void Nodes_beyond_the_last_leaf_do_not_exist()
    {
        Assert.True(new TreeNode(1, 2).Exists(5));
        Assert.Equal(new LeafRange(4, 1), new TreeNode(1, 2).Leaves(5));
        Assert.False(new TreeNode(1, 3).Exists(5));
        Assert.True(new TreeNode(1, 3).Leaves(5).IsEmpty);
    }
}
