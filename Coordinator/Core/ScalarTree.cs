using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>Adds per-leaf scalars in float64 through the same tree as the gradients: the order never varies.</summary>
public static class ScalarTree
{
    public static double Sum(IReadOnlyList<double> leaves)
    {
        ArgumentNullException.ThrowIfNull(leaves);
        return Value(TreeNode.Root(leaves.Count), leaves);
    }

    private static double Value(TreeNode node, IReadOnlyList<double> leaves)
    {
        if (node.IsLeaf) return leaves[node.Index];
        var left = Value(node.Left, leaves);
        return node.Right.Exists(leaves.Count) ? left + Value(node.Right, leaves) : left;
    }
}
