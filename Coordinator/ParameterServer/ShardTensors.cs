using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.ParameterServer;

/// <summary>
/// The tensors of one copy of a shard, and its arithmetic: nodes until they are summed, the sum until the next one,
/// two versions of the weights, the optimizer state. Decides nothing. Memory is taken when a state comes.
/// </summary>
/// <remarks>Not thread-safe: its actor's alone.</remarks>
internal sealed class ShardTensors : IDisposable
{
    private readonly ShardSettings _settings;
    private readonly ShardUpdate _update;
    private readonly ShardReducer _reducer;
    private readonly PieceSums? _pieceSums;
    private readonly NativeBufferPool _versions;
    private readonly NativeBufferPool _sums;
    private readonly NativeBufferPool? _slots;
    private readonly Dictionary<TreeNode, GradientNode> _nodes = [];
    private readonly List<ActivityLink> _links = [];
    private NativeBuffer? _weights;
    private NativeBuffer? _previous;
    private NativeBuffer? _momentum;
    private NativeBuffer? _sum;
    private (SumKey Sum, double[] Norms, double[]? Pieces, IReadOnlyList<Contribution> Contributors)? _reduced;

    public ShardTensors(ShardSettings settings)
    {
        _settings = settings;
        _update = new ShardUpdate(settings.Range, settings.Layout, SgdRule.Create(settings.Optimizer));
        _reducer = new ShardReducer(settings.Range, settings.Layout);
        _pieceSums = PieceSums.For(settings.Range, settings.Layout, settings.Optimizer);
        _versions = new NativeBufferPool(settings.Range.Length, settings.Memory);
        _sums = new NativeBufferPool(settings.Range.Length, settings.Memory);
        _slots = _update.MomentumLength > 0 ? new NativeBufferPool(_update.MomentumLength, settings.Memory) : null;
    }

    private ShardRange Range => _settings.Range;

    /// <summary>True unless a tensor that comes with this message does not cover the shard's range: whoever sent it has another layout, or lies.</summary>
    public bool Fits(IReplicaInput input) => input switch
    {
        GradientNode m => Covers(m.Offset, m.Buffer.Length, Range.Length),
        StandbySum m => m.Buffer.Length == Range.Length,
        LoadShard m => Covers(m.Offset ?? 0, m.State.Length, Range.Length)
            && (_slots is null || !m.Slots.TryGetValue(SgdRule.MomentumSlot, out var slot) || Covers(m.Offset ?? 0, slot.Length, _slots.Length)),
        SeedStandby m => m.Weights.Length == Range.Length && (m.Previous?.Length ?? Range.Length) == Range.Length
            && (_slots is null || !m.Slots.TryGetValue(SgdRule.MomentumSlot, out var slot) || slot.Length == _slots.Length),
        _ => true,
    };

    private bool Covers(int offset, int length, int needed) => offset >= 0 && offset <= Range.Offset && (long)offset + length >= (long)Range.Offset + needed;

    /// <summary>Owns the node's buffer from here on.</summary>
    public void Keep(GradientNode node, IReadOnlyList<TreeNode> superseded)
    {
        foreach (var old in superseded)
            if (_nodes.Remove(old, out var dropped)) dropped.Buffer.Dispose();
        _nodes.Add(node.Node, node);
        if (!node.Trace.IsEmpty) _links.Add(new ActivityLink(node.Trace.ToActivityContext(), new ActivityTagsCollection
        {
            [ClusterTelemetry.Tags.Worker] = node.Worker.ToString(),
            [ClusterTelemetry.Tags.Node] = node.Node.ToString(),
        }));
    }

    public void ReleaseNodes()
    {
        foreach (var node in _nodes.Values) node.Buffer.Dispose();
        _nodes.Clear();
        _links.Clear();
    }

    /// <summary>Completes the tree into a new sum and lets go of the nodes.</summary>
    public ShardReduced Reduce(ReplicaEffect.Reduce reduce, TraceContext trace)
    {
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Reduce, trace, links: _links);
        span?.SetTag(ClusterTelemetry.Tags.Shard, _settings.Shard.ToString()).SetTag(ClusterTelemetry.Tags.Contributors, _links.Count);
        _sum?.Dispose();
        _sum = _sums.Rent();
        var norms = new double[_reducer.ParameterChunkCount];
        var nodes = reduce.Program.Nodes.Select(n => new NodeMemory(_nodes[n].Buffer, Range.Offset - _nodes[n].Offset)).ToArray();
        _reducer.Reduce(reduce.Program, nodes, _sum.Span, norms);
        ReleaseNodes();
        _reduced = (reduce.Sum, norms, _pieceSums?.Of(_sum.Span, _weights!.Span), reduce.Contributors);
        return Report(reduce.Sum, ClusterTelemetry.ContextFor(span, trace))!;
    }

    /// <summary>What was said of the sum when it was made; null when a standby took it from its primary and never reduced.</summary>
    public ShardReduced? Report(SumKey sum, TraceContext trace) => _reduced is { } reduced && reduced.Sum == sum
        ? new ShardReduced(sum.Term, sum.Step, sum.Attempt, _settings.Shard, Range.FirstChunk, reduced.Norms, reduced.Contributors, trace, reduced.Pieces)
        : null;

    public StandbySum ShareSum(SumKey sum, Term term) => new(term, _settings.Shard, sum, _sum!.Share());

    public void TakeSum(StandbySum sum)
    {
        _sum?.Dispose();
        _sum = sum.Buffer;
        _reduced = null;
    }

    public void Take(IReplicaInput state)
    {
        switch (state)
        {
            case LoadShard load:
                Take(load.State.Span.Slice(load.Offset is { } o ? Range.Offset - o : Range.Offset, Range.Length), [], SlotOf(load));
                load.Release();
                break;
            case SeedStandby seed:
                Take(seed.Weights.Span, seed.Previous is { } previous ? previous.Span : [], seed.Slots.TryGetValue(SgdRule.MomentumSlot, out var slot) ? slot.Span : []);
                seed.Release();
                break;
            default:
                throw new ClusterException($"no state in {state}");
        }
    }

    private ReadOnlySpan<float> SlotOf(LoadShard load) =>
        _slots is not null && load.Slots.TryGetValue(SgdRule.MomentumSlot, out var momentum) ? momentum.Span.Slice(Range.Offset - (load.Offset ?? 0), _slots.Length) : [];

    private void Take(ReadOnlySpan<float> weights, ReadOnlySpan<float> previous, ReadOnlySpan<float> momentum)
    {
        _weights?.Dispose();
        _previous?.Dispose();
        _weights = _versions.Rent();
        weights.CopyTo(_weights.Span);
        _previous = null;
        if (!previous.IsEmpty)
        {
            _previous = _versions.Rent();
            previous.CopyTo(_previous.Span);
        }
        if (_slots is null) return;
        _momentum ??= _slots.Rent();
        // A first state has no momentum yet.
        if (momentum.IsEmpty) _momentum.Span.Clear();
        else momentum.CopyTo(_momentum.Span);
    }

    /// <summary>Everything held, by reference where it never changes; the receiver releases it.</summary>
    public SeedStandby ShareState(ReplicaState state) => new(
        state.Promised, _settings.Shard, state.Version!.Value, state.AppliedSteps, state.Records, _weights!.Share(), _previous?.Share(), CopySlots());

    public WeightsPart ShareWeights(Term term, WeightsVersion version, bool isPrevious, TraceContext trace) =>
        new(term, version, _settings.Shard, Range.Offset, (isPrevious ? _previous! : _weights!).Share(), trace);

    public ShardSnapshot Snapshot(SnapshotShard request, long appliedSteps) =>
        new(request.Term, request.Version, _settings.Shard, Range.Offset, appliedSteps, _weights!.Share(), CopySlots());

    private Dictionary<string, NativeBuffer> CopySlots()
    {
        var slots = new Dictionary<string, NativeBuffer>(StringComparer.Ordinal);
        if (_momentum is null) return slots;
        // Changed in place by the next step, so it is copied; a version of the weights never changes, so it is shared.
        var copy = _slots!.Rent();
        _momentum.Span.CopyTo(copy.Span);
        slots[SgdRule.MomentumSlot] = copy;
        return slots;
    }

    /// <summary>One pass over memory into the next version.</summary>
    public void Apply(ReplicaEffect.Apply apply, TraceContext trace)
    {
        var record = apply.Record;
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Apply, trace);
        span?.SetTag(ClusterTelemetry.Tags.Shard, _settings.Shard.ToString())
            .SetTag(ClusterTelemetry.Tags.Scale, record.Scale).SetTag(ClusterTelemetry.Tags.LearningRate, record.LearningRate);
        var next = _versions.Rent();
        if (record.Applied)
        {
            var arguments = new ApplyArguments(record.Samples, record.Leaves.Count, record.Scale, record.LearningRate, apply.IsFirst);
            _update.Apply(_sum!.Span, _weights!.Span, next.Span, _momentum is null ? [] : _momentum.Span, arguments);
        }
        else
        {
            _update.Skip(_weights!.Span, next.Span);
        }
        _previous?.Dispose();
        _previous = _weights;
        _weights = next;
    }

    public void Dispose()
    {
        ReleaseNodes();
        _weights?.Dispose();
        _previous?.Dispose();
        _momentum?.Dispose();
        _sum?.Dispose();
        _versions.Dispose();
        _sums.Dispose();
        _slots?.Dispose();
        _reducer.Dispose();
    }
}
