using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What became of an offered node. Everything but <see cref="Accepted"/> is refused, and counted by this reason.</summary>
public enum NodeVerdict
{
    Accepted = 0,

    /// <summary>The same node was accepted before: the first copy wins.</summary>
    Duplicate = 1,

    /// <summary>An ancestor was accepted before, and holds this node's sum.</summary>
    Covered = 2,

    /// <summary>The tree was complete.</summary>
    Late = 3,

    /// <summary>There is no such node over this many leaves, or none of its leaves has a sample.</summary>
    NotInTree = 4,
}

/// <summary>The answer to one offered node.</summary>
/// <param name="Superseded">Nodes accepted earlier that this one contains: they are no longer needed, release them. Empty unless accepted.</param>
public readonly record struct NodeOffer(NodeVerdict Verdict, IReadOnlyList<TreeNode> Superseded)
{
    public bool IsAccepted => Verdict == NodeVerdict.Accepted;
}

/// <summary>
/// Bookkeeping of one reduction, of one (term, step, attempt) over L leaves: which partial sums are in, which are
/// superseded, and, once they cover every leaf, the additions that complete the canonical tree (see <see cref="TreeNode"/>).
/// It holds no tensors. One tree serves a shard that receives whole nodes; where chunks arrive one by one, each chunk
/// has a tree of its own. Not thread-safe.
/// </summary>
public sealed class ReductionTree
{
    private static readonly IReadOnlyList<TreeNode> None = [];
    private readonly HashSet<TreeNode> _accepted = [];
    private readonly TreeNode _root;
    private readonly int[] _refused = new int[Enum.GetValues<NodeVerdict>().Length];
    private int _coveredLeaves;

    /// <param name="leafCount">L, at least 1.</param>
    /// <param name="emptyLeaves">Leaves without a sample, ascending: nothing is offered for them; null = none.</param>
    public ReductionTree(int leafCount, IReadOnlyList<int>? emptyLeaves = null)
    {
        _root = TreeNode.Root(leafCount);
        Shape = new TreeShape(leafCount, emptyLeaves);
    }

    private ReductionTree(ReductionTree other)
    {
        _root = other._root;
        Shape = other.Shape;
        _accepted = [.. other._accepted];
        _coveredLeaves = other._coveredLeaves;
        other._refused.CopyTo(_refused, 0);
    }

    /// <summary>A tree of its own in the same state.</summary>
    public ReductionTree Copy() => new(this);

    public TreeShape Shape { get; }

    public int LeafCount => Shape.LeafCount;

    /// <summary>The accepted nodes that are not superseded: disjoint.</summary>
    public IReadOnlyCollection<TreeNode> Accepted => _accepted;

    /// <summary>True once the accepted nodes cover every leaf that has samples.</summary>
    public bool IsComplete => _coveredLeaves == Shape.FilledCount;

    /// <summary>How many nodes were refused for <paramref name="verdict"/>.</summary>
    public int RefusedCount(NodeVerdict verdict) => _refused[(int)verdict];

    /// <summary>Accepts or refuses a node. Total: any pair of numbers gets a verdict.</summary>
    public NodeOffer Offer(TreeNode node)
    {
        var verdict = Judge(node);
        if (verdict != NodeVerdict.Accepted)
        {
            _refused[(int)verdict]++;
            return new NodeOffer(verdict, None);
        }
        var superseded = _accepted.Where(other => node.Covers(other)).Order().ToArray();
        foreach (var other in superseded)
        {
            _accepted.Remove(other);
            _coveredLeaves -= Shape.Filled(other);
        }
        _accepted.Add(node);
        _coveredLeaves += Shape.Filled(node);
        return new NodeOffer(verdict, superseded.Length == 0 ? None : superseded);
    }

    /// <summary>The additions that turn the accepted nodes into the root.</summary>
    /// <exception cref="InvalidOperationException">The tree is not complete.</exception>
    public ReductionProgram Program()
    {
        if (!IsComplete) throw new InvalidOperationException($"the tree covers {_coveredLeaves} of {Shape.FilledCount} leaves");
        return ReductionProgram.Compile(_root, Shape, _accepted);
    }

    private NodeVerdict Judge(TreeNode node)
    {
        // Levels are checked first: a shift by a sender's number must not wrap around.
        if (node.Level < 0 || node.Level > _root.Level || node.Index < 0 || node.Index > (LeafCount - 1) >> node.Level) return NodeVerdict.NotInTree;
        if (!Shape.Exists(node)) return NodeVerdict.NotInTree;
        if (IsComplete) return NodeVerdict.Late;
        for (var above = node; above.Level <= _root.Level; above = above.Parent)
            if (_accepted.Contains(above)) return above == node ? NodeVerdict.Duplicate : NodeVerdict.Covered;
        return NodeVerdict.Accepted;
    }
}

/// <summary>Where an operand of an addition lies.</summary>
public enum OperandKind
{
    /// <summary>An accepted node: read only.</summary>
    Node = 0,

    /// <summary>A temporary.</summary>
    Scratch = 1,

    /// <summary>The root's own memory.</summary>
    Result = 2,
}

/// <param name="Index">Of the node in <see cref="ReductionProgram.Nodes"/>, or of the temporary.</param>
public readonly record struct Operand(OperandKind Kind, int Index);

/// <summary>Target = Left + Right, elementwise. The target may be the same temporary as the left operand.</summary>
public readonly record struct Addition(Operand Target, Operand Left, Operand Right);

/// <summary>
/// The additions that complete a tree, in order. Run over every chunk by itself it needs
/// <see cref="ScratchCount"/> temporaries of one chunk; chunks are independent, so they may run in any order or at once.
/// </summary>
/// <param name="Nodes">The inputs, left to right.</param>
/// <param name="Additions">The last one writes the result; empty when <see cref="Nodes"/> is the root alone, whose value is then the result.</param>
public sealed record ReductionProgram(IReadOnlyList<TreeNode> Nodes, IReadOnlyList<Addition> Additions, int ScratchCount)
{
    /// <summary>The canonical program of a step in which each leaf is a node of its own.</summary>
    /// <param name="emptyLeaves">Leaves without a sample, ascending; null = none. At least one leaf has samples.</param>
    public static ReductionProgram OverLeaves(int leafCount, IReadOnlyList<int>? emptyLeaves = null)
    {
        var shape = new TreeShape(leafCount, emptyLeaves);
        return Compile(TreeNode.Root(leafCount), shape, Enumerable.Range(0, leafCount).Where(leaf => !shape.IsEmpty(leaf)).Select(TreeNode.Leaf).ToHashSet());
    }

    internal static ReductionProgram Compile(TreeNode root, TreeShape shape, HashSet<TreeNode> accepted)
    {
        var nodes = new List<TreeNode>(accepted.Count);
        var additions = new List<Addition>(accepted.Count);
        var scratch = 0;
        Emit(root, 0);
        if (additions.Count > 0) additions[^1] = additions[^1] with { Target = new Operand(OperandKind.Result, 0) };
        return new ReductionProgram(nodes, additions, additions.Count == 0 ? 0 : scratch);

        // Depth first, left to right: a sum lives in the lowest free temporary, so there are never more than the tree is deep.
        Operand Emit(TreeNode node, int slot)
        {
            if (accepted.Contains(node))
            {
                nodes.Add(node);
                return new Operand(OperandKind.Node, nodes.Count - 1);
            }
            // A child without samples passes its sibling through.
            if (!shape.Exists(node.Left)) return Emit(node.Right, slot);
            var left = Emit(node.Left, slot);
            if (!shape.Exists(node.Right)) return left;
            var right = Emit(node.Right, left.Kind == OperandKind.Scratch ? slot + 1 : slot);
            var target = new Operand(OperandKind.Scratch, slot);
            additions.Add(new Addition(target, left, right));
            if (node != root) scratch = Math.Max(scratch, slot + 1);
            return target;
        }
    }
}
