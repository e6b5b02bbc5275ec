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
    /// <summary>What OpenTelemetry keeps of a span's links; the number of contributors is a tag.</summary>
    private const int MaxLinks = 128;

    private readonly ShardSettings _settings;
    private readonly ShardUpdate _update;
    private readonly ShardReducer _reducer;
    private readonly PieceSums? _pieceSums;
    private readonly NativeBufferPool _versions;
    private readonly NativeBufferPool _sums;
    private readonly NativeBufferPool[] _slotPools;
    private readonly NativeBuffer[] _slots;
    private readonly Dictionary<TreeNode, GradientNode> _nodes = [];
    private readonly List<ActivityLink> _links = [];
    private readonly string _name;
    private DateTimeOffset _firstAt;
    private DateTimeOffset _lastAt;
    private int _contributors;
    private readonly List<long> _received = [];
    private NativeBuffer? _weights;
    private NativeBuffer? _previous;
    private NativeBuffer? _average;
    private NativeBuffer? _sum;
    private (SumKey Sum, double[] Norms, double[]? Pieces, double Extreme, IReadOnlyList<Contribution> Contributors)? _reduced;

    public ShardTensors(ShardSettings settings)
    {
        _settings = settings;
        _name = settings.Shard.ToString();
        _update = new ShardUpdate(settings.Range, settings.Layout, UpdateRule.Create(settings.Optimizer, settings.TrainingSamples));
        _reducer = new ShardReducer(settings.Range, settings.Layout);
        _pieceSums = PieceSums.For(settings.Range, settings.Layout, settings.Optimizer);
        _versions = new NativeBufferPool(settings.Range.Length, settings.Memory);
        _sums = new NativeBufferPool(settings.Range.Length, settings.Memory);
        _slotPools = [.. _update.Slots.Select(slot => new NativeBufferPool(slot.Length, settings.Memory))];
        _slots = new NativeBuffer[_slotPools.Length];
    }

    private ShardRange Range => _settings.Range;

    /// <summary>True unless a tensor that comes with this message does not cover the shard's range: whoever sent it has another layout, or lies.</summary>
    public bool Fits(IReplicaInput input) => input switch
    {
        GradientNode m => Covers(m.Offset, m.Buffer.Length, Range.Length),
        StandbySum m => m.Buffer.Length == Range.Length,
        LoadShard m => Covers(m.Offset ?? 0, m.State.Length, Range.Length)
            && _update.Slots.All(s => !m.Slots.TryGetValue(s.Name, out var slot) || Covers(m.Offset ?? 0, slot.Length, s.Length)),
        SeedStandby m => m.Weights.Length == Range.Length && (m.Previous?.Length ?? Range.Length) == Range.Length
            && _update.Slots.All(s => !m.Slots.TryGetValue(s.Name, out var slot) || slot.Length == s.Length),
        _ => true,
    };

    private bool Covers(int offset, int length, int needed) => offset >= 0 && offset <= Range.Offset && (long)offset + length >= (long)Range.Offset + needed;

    /// <summary>Owns the node's buffer from here on.</summary>
    public void Keep(GradientNode node, IReadOnlyList<TreeNode> superseded)
    {
        foreach (var old in superseded)
            if (_nodes.Remove(old, out var dropped)) dropped.Buffer.Dispose();
        _nodes.Add(node.Node, node);
        _received.Add(Stopwatch.GetTimestamp());
        if (_contributors++ == 0) _firstAt = node.At;
        _lastAt = node.At;
        if (!node.Trace.IsEmpty && _links.Count < MaxLinks && ClusterTelemetry.Source.HasListeners()) _links.Add(new ActivityLink(node.Trace.ToActivityContext(), new ActivityTagsCollection
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
        _contributors = 0;
        _received.Clear();
    }

    /// <summary>Completes the tree into a new sum and lets go of the nodes.</summary>
    public ShardReduced Reduce(ReplicaEffect.Reduce reduce, TraceContext trace)
    {
        if (ClusterTelemetry.Source.HasListeners())
        {
            ClusterTelemetry.RecordChild(ClusterTelemetry.Spans.Receive, trace, _firstAt, _lastAt, ClusterTelemetry.Tags.Shard, _name);
            ClusterTelemetry.RecordChild(ClusterTelemetry.Spans.Queue, trace, _lastAt, DateTimeOffset.UtcNow, ClusterTelemetry.Tags.Shard, _name);
        }
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Reduce, trace, links: _links);
        span?.SetTag(ClusterTelemetry.Tags.Shard, _name).SetTag(ClusterTelemetry.Tags.Contributors, _contributors);
        _sum?.Dispose();
        _sum = _sums.Rent();
        var norms = new double[_reducer.ParameterChunkCount];
        var nodes = reduce.Program.Nodes.Select(n => new NodeMemory(_nodes[n].Buffer, Range.Offset - _nodes[n].Offset)).ToArray();
        _reducer.Reduce(reduce.Program, nodes, _sum.Span, norms);
        foreach (var received in _received) ClusterTelemetry.ChunkLatency.Record(Stopwatch.GetElapsedTime(received).TotalSeconds);
        ReleaseNodes();
        _reduced = (reduce.Sum, norms, _pieceSums?.Of(_sum.Span, _weights!.Span), _update.Extreme(_sum.Span, _weights!.Span), reduce.Contributors);
        return Report(reduce.Sum, ClusterTelemetry.ContextFor(span, trace))!;
    }

    /// <summary>What was said of the sum when it was made; null when a standby took it from its primary and never reduced.</summary>
    public ShardReduced? Report(SumKey sum, TraceContext trace) => _reduced is { } reduced && reduced.Sum == sum
        ? new ShardReduced(sum.Term, sum.Step, sum.Attempt, _settings.Shard, Range.FirstChunk, reduced.Norms, reduced.Contributors, trace, reduced.Pieces, reduced.Extreme)
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
                var first = Range.Offset - (load.Offset ?? 0);
                Take(load.State.Span.Slice(first, Range.Length), [], load.Slots, first);
                load.Release();
                break;
            case SeedStandby seed:
                Take(seed.Weights.Span, seed.Previous is { } previous ? previous.Span : [], seed.Slots, 0);
                seed.Release();
                break;
            default:
                throw new ClusterException($"no state in {state}");
        }
    }

    /// <param name="first">Where the shard's first float lies in <paramref name="slots"/>.</param>
    private void Take(ReadOnlySpan<float> weights, ReadOnlySpan<float> previous, IReadOnlyDictionary<string, NativeBuffer> slots, int first)
    {
        DropAverage();
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
        for (var i = 0; i < _slots.Length; i++)
        {
            var (name, length) = _update.Slots[i];
            var target = (_slots[i] ??= _slotPools[i].Rent()).Span;
            // A first state has no slots yet.
            if (slots.TryGetValue(name, out var values)) values.Span.Slice(first, length).CopyTo(target);
            else _update.Begin(i, weights, target);
        }
    }

    /// <summary>Everything held, by reference where it never changes; the receiver releases it.</summary>
    public SeedStandby ShareState(ReplicaState state) => new(
        state.Promised, _settings.Shard, state.Version!.Value, state.AppliedSteps, state.Records, _weights!.Share(), _previous?.Share(), CopySlots());

    public WeightsPart ShareWeights(Term term, WeightsVersion version, bool isPrevious, TraceContext trace) =>
        new(term, version, _settings.Shard, Range.Offset, (isPrevious ? _previous! : _weights!).Share(), trace);

    /// <summary>The average of the weights up to the version that is held: copied once, since the next step changes it in place.</summary>
    /// <exception cref="ClusterException">The run keeps no average.</exception>
    public WeightsPart ShareAverage(Term term, WeightsVersion version, TraceContext trace)
    {
        var slot = Array.FindIndex([.. _update.Slots], static s => s.Name == StateSlots.Ema);
        if (slot < 0) throw new ClusterException("the average of the weights was asked for, and the run keeps none");
        if (_average is null)
        {
            _average = _slotPools[slot].Rent();
            _slots[slot].Span.CopyTo(_average.Span);
        }
        return new WeightsPart(term, version, _settings.Shard, Range.Offset, _average.Share(), trace, IsAverage: true);
    }

    public ShardSnapshot Snapshot(SnapshotShard request, long appliedSteps) =>
        new(request.Term, request.Version, _settings.Shard, Range.Offset, appliedSteps, _weights!.Share(), CopySlots());

    private Dictionary<string, NativeBuffer> CopySlots()
    {
        var slots = new Dictionary<string, NativeBuffer>(StringComparer.Ordinal);
        if (_weights is null) return slots;
        // Changed in place by the next step, so they are copied; a version of the weights never changes, so it is shared.
        for (var i = 0; i < _slots.Length; i++)
        {
            var copy = _slotPools[i].Rent();
            _slots[i].Span.CopyTo(copy.Span);
            slots[_update.Slots[i].Name] = copy;
        }
        return slots;
    }

    /// <summary>One pass over memory into the next version.</summary>
    public void Apply(ReplicaEffect.Apply apply, TraceContext trace)
    {
        var record = apply.Record;
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Apply, trace);
        span?.SetTag(ClusterTelemetry.Tags.Shard, _name)
            .SetTag(ClusterTelemetry.Tags.Scale, record.Scale).SetTag(ClusterTelemetry.Tags.LearningRate, record.LearningRate);
        DropAverage();
        var next = _versions.Rent();
        if (record.Applied)
        {
            var arguments = new ApplyArguments(record.Samples, record.FilledLeaves, record.Scale, record.LearningRate, apply.AppliedSteps, record.TensorScales);
            _update.Apply(_sum!.Span, _weights!.Span, next.Span, _slots, arguments);
        }
        else
        {
            _update.Skip(_weights!.Span, next.Span);
        }
        _previous?.Dispose();
        _previous = _weights;
        _weights = next;
    }

    private void DropAverage()
    {
        _average?.Dispose();
        _average = null;
    }

    public void Dispose()
    {
        ReleaseNodes();
        DropAverage();
        _weights?.Dispose();
        _previous?.Dispose();
        foreach (var slot in _slots) slot?.Dispose();
        _sum?.Dispose();
        _versions.Dispose();
        _sums.Dispose();
        foreach (var pool in _slotPools) pool.Dispose();
        _reducer.Dispose();
    }
}
