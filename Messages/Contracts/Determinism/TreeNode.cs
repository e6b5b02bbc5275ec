using MessagePack;

namespace Cluster.Contracts;

/// <summary>
/// A partial sum in the reduction tree over the L leaves of a step: level 0 are the leaves, node (l, i) is the sum of
/// (l-1, 2i) and (l-1, 2i+1); where the right child lies beyond the last leaf the left one passes through unchanged.
/// The shape depends on L alone, so the value of the root does not depend on who added what, or when.
/// </summary>
[MessagePackObject]
public readonly record struct TreeNode([property: Key(0)] int Level, [property: Key(1)] int Index) : IComparable<TreeNode>
{
    [IgnoreMember] public TreeNode Parent => new(Level + 1, Index >> 1);
    [IgnoreMember] public TreeNode Left => new(Level - 1, Index << 1);
    [IgnoreMember] public TreeNode Right => new(Level - 1, (Index << 1) + 1);
    [IgnoreMember] public TreeNode Sibling => new(Level, Index ^ 1);
    [IgnoreMember] public bool IsLeaf => Level == 0;

    public static TreeNode Leaf(int leaf) => new(0, leaf);

    /// <summary>The root of a tree over <paramref name="leafCount"/> leaves.</summary>
    public static TreeNode Root(int leafCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(leafCount);
        var level = 0;
        while ((1 << level) < leafCount) level++;
        return new TreeNode(level, 0);
    }

    /// <summary>The leaves below this node, cut at the last leaf of the step; empty if the node lies beyond it.</summary>
    public LeafRange Leaves(int leafCount)
    {
        var first = Index << Level;
        return first >= leafCount ? LeafRange.Empty : new LeafRange(first, Math.Min(leafCount, first + (1 << Level)) - first);
    }

    public bool Exists(int leafCount) => Index << Level < leafCount;

    /// <summary>True if <paramref name="other"/> is this node or lies below it.</summary>
    public bool Covers(TreeNode other) => other.Level <= Level && other.Index >> (Level - other.Level) == Index;

    /// <summary>
    /// The fewest nodes that together cover exactly <paramref name="run"/>, left to right. A node whose leaves run past
    /// the end of the step counts as covered when all that exist are in the run.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The run has leaves that the step does not.</exception>
    public static IReadOnlyList<TreeNode> Cover(LeafRange run, int leafCount)
    {
        if (run.First < 0 || run.Count < 0 || run.End > leafCount) throw new ArgumentOutOfRangeException(nameof(run), $"leaves {run} of a step with {leafCount}");
        var nodes = new List<TreeNode>();
        var leaf = run.First;
        while (leaf < run.End)
        {
            var node = Leaf(leaf);
            while (node.Index % 2 == 0 && node != Root(leafCount))
            {
                var leaves = node.Parent.Leaves(leafCount);
                if (leaves.First < run.First || leaves.End > run.End) break;
                node = node.Parent;
            }
            nodes.Add(node);
            leaf = node.Leaves(leafCount).End;
        }
        return nodes;
    }

    public int CompareTo(TreeNode other) => Level != other.Level ? Level.CompareTo(other.Level) : Index.CompareTo(other.Index);
    public static bool operator <(TreeNode left, TreeNode right) => left.CompareTo(right) < 0;
    public static bool operator >(TreeNode left, TreeNode right) => left.CompareTo(right) > 0;
    public static bool operator <=(TreeNode left, TreeNode right) => left.CompareTo(right) <= 0;
    public static bool operator >=(TreeNode left, TreeNode right) => left.CompareTo(right) >= 0;
    public override string ToString() => $"({Level},{Index})";
}
