using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.ParameterServer;

/// <summary>What of the run's configuration a shard works with.</summary>
public sealed record ShardSettings(ShardId Shard, ParameterLayout Layout, ShardRange Range, OptimizerOptions Optimizer);

/// <summary>
/// Owns one range of the state: weights, optimizer state and version, in native memory. Reduces nodes, applies what the
/// coordinator has recorded, publishes the result. Its arithmetic is <see cref="ShardUpdate"/>; it decides nothing.
/// </summary>
public sealed class ParameterShardActor : ReceiveActor
{
    /// <summary>Who is who, sent once by the host before anything else.</summary>
    public sealed record Wiring(IActorRef Coordinator, IReadOnlyList<IActorRef> Workers);

    private readonly ShardSettings _settings;
    private readonly SgdRule _rule;
    private readonly ShardUpdate _update;
    private readonly ShardReducer _reducer;
    private readonly NativeBufferPool _versions;
    private readonly NativeBuffer _sum;
    private readonly NativeBuffer? _momentum;
    private NativeBufferPool? _snapshots;
    private Wiring? _wiring;
    private NativeBuffer? _weights;
    private NativeBuffer? _previous;
    private WeightsVersion _version;
    private long _appliedSteps;
    private ShardReduction? _reduction;
    private (StepId Step, int Attempt) _reduced;

    public ParameterShardActor(ShardSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _rule = SgdRule.Create(settings.Optimizer);
        _update = new ShardUpdate(settings.Range, settings.Layout, _rule);
        _reducer = new ShardReducer(settings.Range, settings.Layout);
        _versions = new NativeBufferPool(settings.Range.Length);
        _sum = NativeBuffer.Allocate(settings.Range.Length);
        _momentum = _update.MomentumLength > 0 ? NativeBuffer.Allocate(_update.MomentumLength) : null;
        Become(EmptyBehaviour);
    }

    public static Props Props(ShardSettings settings) => Akka.Actor.Props.Create(() => new ParameterShardActor(settings));

    /// <summary>Holds nothing yet: waits for the wiring and a first state.</summary>
    private void EmptyBehaviour()
    {
        Receive<Wiring>(wiring => _wiring = wiring);
        Receive<LoadShard>(Load);
    }

    /// <summary>Holds a version: gathers nodes of the next step, applies recorded decisions.</summary>
    private void ServingBehaviour()
    {
        Receive<GradientNode>(Gather);
        Receive<ApplyStep>(Apply);
        Receive<StepAbandoned>(abandoned =>
        {
            if (_reduction is { } r && r.Step == abandoned.Step && r.Attempt <= abandoned.Attempt) Forget();
        });
        Receive<SnapshotShard>(Snapshot);
    }

    private void Load(LoadShard load)
    {
        _version = load.Version;
        _appliedSteps = load.AppliedSteps;
        _weights = _versions.Rent();
        load.State.Span.Slice(_settings.Range.Offset, _settings.Range.Length).CopyTo(_weights.Span);
        if (_momentum is not null && load.Slots.TryGetValue(SgdRule.MomentumSlot, out var momentum))
            momentum.Span.Slice(_settings.Range.Offset, _momentum.Length).CopyTo(_momentum.Span);
        load.Release();
        Become(ServingBehaviour);
        Publish(load.Term, load.Trace);
    }

    private void Gather(GradientNode node)
    {
        var reason = Refuse(node);
        if (reason is null)
        {
            if (_reduction is { } open && (open.Step, open.Attempt) != (node.Step, node.Attempt)) Forget();
            _reduction ??= new ShardReduction(node.Step, node.Attempt, node.LeafCount);
            reason = _reduction.Offer(node);
        }
        else
        {
            node.Buffer.Dispose();
        }
        if (reason is not null)
        {
            Count(reason);
            return;
        }
        if (_reduction!.IsComplete) Reduce(node.Term, node.Trace);
    }

    private string? Refuse(GradientNode node) =>
        node.Step != new StepId(_version.Value + 1) ? "stale step"
        : node.Attempt <= (_reduced.Step == node.Step ? _reduced.Attempt : 0) ? "node of a reduced attempt"
        : _reduction is { } open && node.Attempt < open.Attempt ? "stale attempt"
        : null;

    private void Reduce(Term term, TraceContext trace)
    {
        var reduction = _reduction!;
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Reduce, trace, links: reduction.Links);
        span?.SetTag(ClusterTelemetry.Tags.Shard, _settings.Shard.ToString()).SetTag(ClusterTelemetry.Tags.Contributors, reduction.Links.Count);
        var norms = reduction.Complete(_reducer, _sum.Span);
        _reduced = (reduction.Step, reduction.Attempt);
        Forget();
        _wiring!.Coordinator.Tell(new ShardReduced(
            term, _reduced.Step, _reduced.Attempt, _settings.Shard, _settings.Range.FirstChunk, norms, ClusterTelemetry.ContextFor(span, trace)));
    }

    private void Apply(ApplyStep apply)
    {
        var record = apply.Record;
        if (record.Step.Produces <= _version)
        {
            // Redo of what is done: say so again, change nothing.
            _wiring!.Coordinator.Tell(new ShardApplied(apply.Term, _version, _settings.Shard, apply.Trace));
            return;
        }
        if (record.Step.Consumes != _version) throw new ClusterException($"{_settings.Shard} holds version {_version} and was told to apply step {record.Step}");
        if (record.Applied && _reduced != (record.Step, apply.Attempt))
            throw new ClusterException($"{_settings.Shard} has no sum of step {record.Step} attempt {apply.Attempt}");
        using (var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Apply, apply.Trace))
        {
            span?.SetTag(ClusterTelemetry.Tags.Shard, _settings.Shard.ToString())
                .SetTag(ClusterTelemetry.Tags.Scale, record.Scale).SetTag(ClusterTelemetry.Tags.LearningRate, record.LearningRate);
            var next = _versions.Rent();
            if (record.Applied)
            {
                var arguments = new ApplyArguments(record.Samples, record.Leaves.Count, record.Scale, record.LearningRate, _appliedSteps == 0);
                _update.Apply(_sum.Span, _weights!.Span, next.Span, _momentum is null ? [] : _momentum.Span, arguments);
                _appliedSteps++;
            }
            else
            {
                _update.Skip(_weights!.Span, next.Span);
            }
            // The coordinator opens a step only when every shard holds the one before: the version before the last may go.
            _previous?.Dispose();
            _previous = _weights;
            _weights = next;
            _version = record.Step.Produces;
        }
        Publish(apply.Term, apply.Trace);
        _wiring!.Coordinator.Tell(new ShardApplied(apply.Term, _version, _settings.Shard, apply.Trace));
    }

    private void Publish(Term term, TraceContext trace)
    {
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Broadcast, trace);
        span?.SetTag(ClusterTelemetry.Tags.Shard, _settings.Shard.ToString()).SetTag(ClusterTelemetry.Tags.Version, _version.Value);
        var context = ClusterTelemetry.ContextFor(span, trace);
        foreach (var worker in _wiring!.Workers)
            worker.Tell(new WeightsPart(term, _version, _settings.Shard, _settings.Range.Offset, _weights!.Share(), context));
    }

    private void Snapshot(SnapshotShard request)
    {
        if (request.Version != _version) throw new ClusterException($"{_settings.Shard} holds version {_version} and was asked for a snapshot of {request.Version}");
        var slots = new Dictionary<string, NativeBuffer>(StringComparer.Ordinal);
        if (_momentum is not null)
        {
            // Changed in place by the next step, so it is copied; a version of the weights never changes, so it is shared.
            _snapshots ??= new NativeBufferPool(_momentum.Length);
            var copy = _snapshots.Rent();
            _momentum.Span.CopyTo(copy.Span);
            slots[SgdRule.MomentumSlot] = copy;
        }
        Sender.Tell(new ShardSnapshot(request.Term, _version, _settings.Shard, _settings.Range.Offset, _appliedSteps, _weights!.Share(), slots));
    }

    private void Forget()
    {
        _reduction?.Dispose();
        _reduction = null;
    }

    private static void Count(string reason) =>
        ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, reason));

    protected override void PostStop()
    {
        Forget();
        _weights?.Dispose();
        _previous?.Dispose();
        _versions.Dispose();
        _snapshots?.Dispose();
        _sum.Dispose();
        _momentum?.Dispose();
        _reducer.Dispose();
        base.PostStop();
    }
}
