using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// Which nodes of a step's tree exist: those with a leaf that has samples. A node with one such child has that child's
/// value, unchanged; nothing is added in place of the other.
/// </summary>
public readonly struct TreeShape
{
    /// <summary>Empty leaves before each leaf, and in all; null when there are none, which is the usual course.</summary>
    private readonly int[]? _emptyBefore;

    /// <param name="leafCount">L, at least 1.</param>
    /// <param name="emptyLeaves">Leaves without a sample, ascending; null = none.</param>
    /// <exception cref="ArgumentException">See <see cref="IsPossible"/>.</exception>
    public TreeShape(int leafCount, IReadOnlyList<int>? emptyLeaves = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(leafCount);
        LeafCount = leafCount;
        if (emptyLeaves is not { Count: > 0 }) return;
        if (!IsPossible(leafCount, emptyLeaves)) throw new ArgumentException($"leaves [{string.Join(", ", emptyLeaves)}] of {leafCount} cannot be the empty ones", nameof(emptyLeaves));
        _emptyBefore = new int[leafCount + 1];
        foreach (var leaf in emptyLeaves) _emptyBefore[leaf + 1] = 1;
        for (var i = 0; i < leafCount; i++) _emptyBefore[i + 1] += _emptyBefore[i];
    }

    public int LeafCount { get; }

    /// <summary>Leaves with samples.</summary>
    public int FilledCount => LeafCount - (_emptyBefore?[LeafCount] ?? 0);

    /// <summary>False unless they ascend, and are leaves of the step.</summary>
    public static bool IsPossible(int leafCount, IReadOnlyList<int>? emptyLeaves)
    {
        for (var i = 0; i < (emptyLeaves?.Count ?? 0); i++)
            if (emptyLeaves![i] < 0 || emptyLeaves[i] >= leafCount || i > 0 && emptyLeaves[i] <= emptyLeaves[i - 1]) return false;
        return true;
    }

    /// <summary>Leaves with samples below this node.</summary>
    public int Filled(TreeNode node)
    {
        var leaves = node.Leaves(LeafCount);
        return _emptyBefore is null ? leaves.Count : leaves.Count - (_emptyBefore[leaves.First + leaves.Count] - _emptyBefore[leaves.First]);
    }

    public bool Exists(TreeNode node) => Filled(node) > 0;

    public bool IsEmpty(int leaf) => _emptyBefore is not null && _emptyBefore[leaf + 1] > _emptyBefore[leaf];

    public bool IsSame(int leafCount, IReadOnlyList<int>? emptyLeaves)
    {
        if (leafCount != LeafCount || (emptyLeaves?.Count ?? 0) != LeafCount - FilledCount) return false;
        for (var i = 0; i < (emptyLeaves?.Count ?? 0); i++)
            if (emptyLeaves![i] < 0 || emptyLeaves[i] >= leafCount || !IsEmpty(emptyLeaves[i])) return false;
        return true;
    }
}
