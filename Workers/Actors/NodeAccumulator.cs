using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Workers.Actors;

/// <summary>
/// Adds a worker's leaves locally, in the canonical tree: a finished leaf merges with its sibling as soon as both are
/// here, up to the nodes that the lease covers exactly. At most log2(K) + 1 buffers are alive per run of leaves.
/// </summary>
/// <remarks>Several devices of one worker may <see cref="Add"/> at once; all else is for one thread, while none does. The buffers that it holds are released by <see cref="Clear"/>.</remarks>
public sealed class NodeAccumulator
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TreeNode, NativeBuffer> _pending = [];
    private readonly HashSet<TreeNode> _wanted = [];
    private readonly HashSet<TreeNode> _spoilt = [];
    private TreeShape _shape = new(1);

    /// <summary>Takes the leases of one attempt.</summary>
    /// <param name="emptyLeaves">Leaves without a sample, ascending: nothing is added for them; null = none.</param>
    public void Begin(IReadOnlyList<LeafRange> leases, int leafCount, IReadOnlyList<int>? emptyLeaves = null)
    {
        ArgumentNullException.ThrowIfNull(leases);
        Clear();
        _shape = new TreeShape(leafCount, emptyLeaves);
        foreach (var lease in leases)
        {
            foreach (var node in TreeNode.Cover(lease, leafCount))
                if (_shape.Exists(node)) _wanted.Add(node);
        }
    }

    /// <summary>
    /// Adds one leaf, whose buffer it owns from here on. Returns the node to push when this leaf completed one, with
    /// the ownership of its buffer.
    /// </summary>
    /// <param name="isFinite">False: no node with this leaf is ever handed out. A non-finite value must not reach a sum, whatever becomes of the report that says so.</param>
    public (TreeNode Node, NativeBuffer Buffer)? Add(int leaf, NativeBuffer buffer, bool isFinite = true)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        var node = TreeNode.Leaf(leaf);
        var isSpoilt = !isFinite;
        while (true)
        {
            if (!Meets(ref node, buffer, ref isSpoilt, out var other)) return null;
            if (other is null) break;
            // value(parent) = value(left) + value(right): float addition commutes, so which side is added into does not matter. Both
            // are this thread's alone by now.
            Sum.AddInto(buffer.Span, other.Span);
            other.Dispose();
            node = node.Parent;
        }
        if (!isSpoilt) return (node, buffer);
        buffer.Dispose();
        return null;
    }

    /// <summary>Looks for the sibling, up to a node that is to be pushed.</summary>
    /// <param name="other">The sibling's buffer, the caller's from here on; null = the node is complete.</param>
    /// <returns>False: the buffer waits here for its sibling.</returns>
    private bool Meets(ref TreeNode node, NativeBuffer buffer, ref bool isSpoilt, out NativeBuffer? other)
    {
        lock (_lock)
        {
            while (!_wanted.Remove(node))
            {
                if (!_shape.Exists(node.Sibling))
                {
                    node = node.Parent;          // a missing child, or one without samples, passes its sibling through
                    continue;
                }
                if (_pending.Remove(node.Sibling, out other))
                {
                    isSpoilt |= _spoilt.Remove(node.Sibling);
                    return true;
                }
                _pending.Add(node, buffer);
                if (isSpoilt) _spoilt.Add(node);
                return false;
            }
            other = null;
            return true;
        }
    }

    /// <summary>Releases what an abandoned attempt left.</summary>
    public void Clear()
    {
        foreach (var buffer in _pending.Values) buffer.Dispose();
        _pending.Clear();
        _wanted.Clear();
        _spoilt.Clear();
    }
}
