using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.ParameterServer;

/// <summary>
/// The nodes of one (step, attempt) that a shard has received, by reference, and the sum that they make. Disposing it
/// releases every node.
/// </summary>
internal sealed class ShardReduction(StepId step, int attempt, int leafCount, ShardRange range, ParameterLayout layout) : IDisposable
{
    private readonly ReductionTree _tree = new(leafCount);
    private readonly Dictionary<TreeNode, GradientNode> _nodes = [];
    private readonly List<ActivityLink> _links = [];

    public StepId Step { get; } = step;
    public int Attempt { get; } = attempt;
    public int LeafCount { get; } = leafCount;
    public bool IsComplete => _tree.IsComplete;

    /// <summary>One link per contributing node.</summary>
    public IReadOnlyList<ActivityLink> Links => _links;

    /// <summary>Takes ownership of the node's buffer, whatever the verdict.</summary>
    /// <returns>Null when accepted, else the reason of the refusal.</returns>
    public string? Offer(GradientNode node)
    {
        if (node.LeafCount != LeafCount)
        {
            node.Buffer.Dispose();
            return "another number of leaves";
        }
        var offer = _tree.Offer(node.Node);
        if (!offer.IsAccepted)
        {
            node.Buffer.Dispose();
            return "node " + offer.Verdict.ToString().ToLowerInvariant();
        }
        foreach (var superseded in offer.Superseded)
            if (_nodes.Remove(superseded, out var old)) old.Buffer.Dispose();
        _nodes.Add(node.Node, node);
        if (!node.Trace.IsEmpty)
            _links.Add(new ActivityLink(node.Trace.ToActivityContext(), new ActivityTagsCollection { [ClusterTelemetry.Tags.Worker] = node.Worker.ToString(), [ClusterTelemetry.Tags.Node] = node.Node.ToString() }));
        return null;
    }

    /// <summary>
    /// Adds the nodes chunk by chunk into <paramref name="sum"/> [range.Length]; returns the squared norms of the
    /// parameter chunks, in chunk order. The nodes are released.
    /// </summary>
    public double[] Complete(Span<float> sum)
    {
        var program = _tree.Program();
        var inputs = program.Nodes.Select(n => _nodes[n].Buffer).ToArray();
        var norms = new double[Math.Max(0, Math.Min(range.EndChunk, layout.ParameterChunkCount) - range.FirstChunk)];
        using var scratch = program.ScratchCount == 0 ? null : NativeBuffer.Allocate(program.ScratchCount * Limits.ChunkFloats);
        for (var chunk = range.FirstChunk; chunk < range.EndChunk; chunk++)
        {
            var (start, length) = layout.Chunk(chunk);
            var target = sum.Slice(start - range.Offset, length);
            if (program.Additions.Count == 0) inputs[0].Span.Slice(start, length).CopyTo(target);
            foreach (var addition in program.Additions)
                Sum.Add(At(addition.Target, target), At(addition.Left, target), At(addition.Right, target));
            // While the chunk is still in the cache.
            if (chunk - range.FirstChunk < norms.Length) norms[chunk - range.FirstChunk] = ChunkNorm.SumOfSquares(target);

            Span<float> At(Operand operand, Span<float> result) => operand.Kind switch
            {
                OperandKind.Node => inputs[operand.Index].Span.Slice(start, length),
                OperandKind.Scratch => scratch!.Span.Slice(operand.Index * Limits.ChunkFloats, length),
                _ => result,
            };
        }
        Release();
        return norms;
    }

    private void Release()
    {
        foreach (var node in _nodes.Values) node.Buffer.Dispose();
        _nodes.Clear();
    }

    public void Dispose() => Release();
}
