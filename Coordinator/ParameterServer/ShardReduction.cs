using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.ParameterServer;

/// <summary>
/// The nodes of one (step, attempt) that a shard has received, by reference, until their tree is complete. Disposing it
/// releases every node.
/// </summary>
internal sealed class ShardReduction(StepId step, int attempt, int leafCount) : IDisposable
{
    private readonly ReductionTree _tree = new(leafCount);
    private readonly Dictionary<TreeNode, NativeBuffer> _nodes = [];
    private readonly List<ActivityLink> _links = [];

    public StepId Step { get; } = step;
    public int Attempt { get; } = attempt;
    public bool IsComplete => _tree.IsComplete;

    /// <summary>One link per contributing node.</summary>
    public IReadOnlyList<ActivityLink> Links => _links;

    /// <summary>Takes ownership of the node's buffer, whatever the verdict.</summary>
    /// <returns>Null when accepted, else the reason of the refusal.</returns>
    public string? Offer(GradientNode node)
    {
        if (node.LeafCount != _tree.LeafCount)
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
            if (_nodes.Remove(superseded, out var old)) old.Dispose();
        _nodes.Add(node.Node, node.Buffer);
        if (!node.Trace.IsEmpty) _links.Add(new ActivityLink(node.Trace.ToActivityContext(), new ActivityTagsCollection
        {
            [ClusterTelemetry.Tags.Worker] = node.Worker.ToString(),
            [ClusterTelemetry.Tags.Node] = node.Node.ToString(),
        }));
        return null;
    }

    /// <summary>Completes the tree over the shard's range.</summary>
    /// <param name="sum">[range length]; receives the root's value.</param>
    /// <returns>Sums of squares of the parameter chunks, in chunk order.</returns>
    public double[] Complete(ShardReducer reducer, Span<float> sum)
    {
        var program = _tree.Program();
        var norms = new double[reducer.ParameterChunkCount];
        reducer.Reduce(program, [.. program.Nodes.Select(n => _nodes[n])], reducer.Range.Offset, sum, norms);
        return norms;
    }

    public void Dispose()
    {
        foreach (var buffer in _nodes.Values) buffer.Dispose();
        _nodes.Clear();
    }
}
