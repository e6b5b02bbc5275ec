using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Workers.Data;

namespace Cluster.Workers.Actors;

/// <summary>What of the run's configuration a worker computes with.</summary>
/// <param name="Samples">Samples of the training set.</param>
/// <param name="Batch">B.</param>
/// <param name="Microbatches">K.</param>
/// <param name="TotalSteps">Nothing is prefetched beyond.</param>
/// <param name="Shards">P.</param>
/// <param name="Loss">What evaluations add up; without label smoothing, as is usual.</param>
public sealed record WorkerSettings(
    WorkerId Worker, int Shards, int Samples, int Batch, int Microbatches, ulong Seed, long TotalSteps, LossOptions Loss)
{
    /// <summary>Devices that this worker drives at once. What they compute is added here, and pushed once.</summary>
    public int Devices { get; init; } = 1;

    /// <summary>Where the memory of gradient nodes comes from: they are what is sent.</summary>
    public IBufferMemory Memory { get; init; } = PrivateMemory.Instance;
}

/// <summary>
/// The device side of a worker: everything that happens on its compute thread, and on those of its further devices while that
/// one waits for them. Holds no mailbox and makes no decision; <see cref="WorkerActor"/> posts its methods as jobs and receives
/// what they emit.
/// </summary>
internal sealed class WorkerCompute(WorkerSettings settings, DeviceCrew crew, LeafPrefetcher prefetcher) : IDisposable
{
    private readonly NativeBufferPool _nodes = new(crew.First.Engine.Layout.StateFloats, settings.Memory);
    private readonly NativeBuffer _state = NativeBuffer.Allocate(crew.First.Engine.Layout.StateFloats);
    private readonly NodeAccumulator _accumulator = new();
    private readonly string _name = settings.Worker.ToString();

    /// <summary>Held by the device that takes the next leaf: leaves are taken in their order, by one at a time.</summary>
    private readonly Lock _taking = new();

    /// <summary>Guards what follows while devices compute.</summary>
    private readonly Lock _telling = new();
    private DataSight _sight;

    /// <summary>Kept until the next version is here: what a shard missed is pushed again.</summary>
    private readonly List<(SumKey Sum, TreeNode Node, NativeBuffer Buffer, TraceContext Trace)> _pushed = [];

    public ParameterLayout Layout => crew.First.Engine.Layout;

    /// <summary>Draws the seeded first weights into a buffer that the receiver disposes.</summary>
    public NativeBuffer Initialize(ulong seed)
    {
        var buffer = NativeBuffer.Allocate(Layout.StateFloats);
        crew.First.Engine.Initialize(seed, buffer.Span);
        return buffer;
    }

    /// <summary>Takes a whole version, or the average up to it; releases its parts and the nodes that made it.</summary>
    public void Load(IReadOnlyList<WeightsPart> parts, TraceContext trace)
    {
        // Below the root and linked to what the shards sent: the span of a shard that dies is never told of.
        var root = StepTrace.RootOf(trace);
        var sent = root.IsEmpty || !ClusterTelemetry.Source.HasListeners() ? null : parts.Where(p => p.Trace.SpanId != 0 && p.Trace != root).Select(static p => new ActivityLink(p.Trace.ToActivityContext()));
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.WeightsReceived, root, links: sent);
        span?.SetTag(ClusterTelemetry.Tags.Worker, _name).SetTag(ClusterTelemetry.Tags.Version, parts[0].Version.Value);
        ReleasePushed();
        var whole = parts.Count == 1 ? parts[0].Buffer : _state;
        if (parts.Count > 1)
            foreach (var part in parts) part.Buffer.Span.CopyTo(whole.Span[part.Offset..]);
        crew.Each(device => device.Engine.LoadState(whole.Span));
        foreach (var part in parts) part.Buffer.Dispose();
        prefetcher.Forget(new StepId(parts[0].Version.Value + 1));
    }

    /// <summary>
    /// Computes the leases leaf by leaf, on all devices; emits a <see cref="LeafDone"/> per leaf (or a <see cref="LeafUnreadable"/>)
    /// and a node as soon as one is complete, whichever devices its leaves were computed on. Stops between two leaves once
    /// <paramref name="isCurrent"/> says that the attempt is void.
    /// </summary>
    /// <param name="isCurrent">Any device's thread.</param>
    /// <param name="report">Takes the leaf's number and what there is to say of it. One thread at a time.</param>
    /// <param name="push">Takes a node. One thread at a time.</param>
    /// <exception cref="ClusterException">This worker cannot read its data: <see cref="DataSight"/>.</exception>
    public void Compute(BeginStep begin, Func<bool> isCurrent, Action<int, IStepInput> report, Action<TreeNode, NativeBuffer, TraceContext> push)
    {
        var plan = StepPlan.For(begin.Step, settings.Samples, settings.Batch, settings.Microbatches);
        // The lease itself is the coordinator's span: a worker that dies leaves no child without its parent.
        var trace = begin.Trace;
        // Of an earlier attempt: a node of another term or attempt is pushed by nobody.
        foreach (var old in _pushed.Where(p => p.Sum.Step == begin.Step && (p.Sum.Term, p.Sum.Attempt) != (begin.Term, begin.Attempt))) old.Buffer.Dispose();
        _pushed.RemoveAll(p => p.Sum.Step == begin.Step && (p.Sum.Term, p.Sum.Attempt) != (begin.Term, begin.Attempt));
        Prefetch(plan, begin);
        _accumulator.Begin(begin.Leases, plan.LeafCount, begin.EmptyLeaves);
        var leaves = new Queue<int>(begin.Leases.SelectMany(static range => Enumerable.Range(range.First, range.Count)));
        var isBroken = false;
        crew.Each(device =>
        {
            try
            {
                while (!Volatile.Read(ref isBroken) && isCurrent() && Take(plan, begin, leaves, trace) is var (leaf, prepared))
                    using (prepared) ComputeLeaf(device.Engine, begin, leaf, prepared, trace, report, push);
            }
            catch
            {
                Volatile.Write(ref isBroken, true);
                throw;
            }
        });
        if (!isCurrent()) _accumulator.Clear();
    }

    /// <summary>The next leaf that no device has taken, once its samples are there; null = there is none.</summary>
    private (int Leaf, PreparedLeaf Prepared)? Take(StepPlan plan, BeginStep begin, Queue<int> leaves, TraceContext trace)
    {
        lock (_taking) return leaves.TryDequeue(out var leaf) ? (leaf, WaitForData(plan, begin, leaf, trace)) : null;
    }

    private void ComputeLeaf(IGradientEngine engine, BeginStep begin, int leaf, PreparedLeaf prepared, TraceContext trace, Action<int, IStepInput> report, Action<TreeNode, NativeBuffer, TraceContext> push)
    {
        lock (_telling)
        {
            if (prepared.Unreadable.Count > 0)
            {
                report(leaf, Unreadable(begin, leaf, prepared, trace));
                return;
            }
            _sight = _sight.With(begin, 0, prepared.SampleCount);
        }
        var waited = (float)prepared.Waited.TotalMilliseconds;
        if (prepared.SampleCount == 0)
        {
            Tell(new LeafDone(
                begin.Term, begin.Step, begin.Attempt, leaf, settings.Worker, 0, 0, 0, prepared.SampleDigest, true, null, trace,
                begin.AuditLeaf == leaf ? LeafHash.Of([], 0, 0) : null, waited));
            return;
        }
        var buffer = _nodes.Rent();
        var started = Stopwatch.GetTimestamp();
        StepTrace.Current = trace;
        var outcome = engine.ComputeLeaf(prepared.Batch, settings.Seed, begin.Step, leaf, buffer.Span);
        StepTrace.Current = default;
        var computed = Stopwatch.GetElapsedTime(started);
        ClusterTelemetry.LeafDuration.Record(computed.TotalSeconds);
        ClusterTelemetry.ComputedSamples.Add(prepared.SampleCount);
        Tell(new LeafDone(
            begin.Term, begin.Step, begin.Attempt, leaf, settings.Worker, prepared.SampleCount, outcome.LossSum, outcome.CorrectCount,
            prepared.SampleDigest, outcome.IsFinite, outcome.FirstBadParameter, trace,
            // Taken before the leaf is added to others: it is this leaf alone that is compared.
            begin.AuditLeaf == leaf ? LeafHash.Of(buffer.Span, outcome.LossSum, outcome.CorrectCount) : null,
            waited, (float)computed.TotalMilliseconds));
        (TreeNode Node, NativeBuffer Buffer)? completed;
        using (var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.LocalSum, trace))
        {
            span?.SetTag(ClusterTelemetry.Tags.Worker, _name).SetTag(ClusterTelemetry.Tags.Leaf, leaf);
            completed = _accumulator.Add(leaf, buffer, outcome.IsFinite);
        }
        if (completed is not { } node) return;
        using var send = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Send, trace);
        send?.SetTag(ClusterTelemetry.Tags.Worker, _name).SetTag(ClusterTelemetry.Tags.Node, node.Node.ToString()).SetTag(ClusterTelemetry.Tags.Bytes, (long)node.Buffer.Length * sizeof(float));
        var context = ClusterTelemetry.ContextFor(send, trace);
        lock (_telling)
        {
            _pushed.Add((new SumKey(begin.Term, begin.Step, begin.Attempt), node.Node, node.Buffer, context));
            push(node.Node, node.Buffer, context);
        }

        void Tell(LeafDone done)
        {
            lock (_telling) report(leaf, done);
        }
    }

    /// <summary>Pushes what is kept of this attempt once more.</summary>
    public void PushAgain(SumKey sum, Action<TreeNode, NativeBuffer, TraceContext> push)
    {
        foreach (var pushed in _pushed.Where(p => p.Sum == sum)) push(pushed.Node, pushed.Buffer, pushed.Trace);
    }

    /// <exception cref="ClusterException">There is too much that this worker cannot read.</exception>
    private LeafUnreadable Unreadable(BeginStep begin, int leaf, PreparedLeaf prepared, TraceContext trace)
    {
        var first = prepared.Unreadable.MinBy(static s => s.Sample);
        _sight = _sight.With(begin, prepared.Unreadable.Count, prepared.SampleCount - prepared.Unreadable.Count);
        if (_sight.IsBlind) throw Blind($"{_sight.Undecoded} of the {_sight.Undecoded + _sight.Decoded} samples of step {begin.Step} that it has tried", first);
        return new LeafUnreadable(
            begin.Term, begin.Step, begin.Attempt, leaf, settings.Worker,
            [.. prepared.Unreadable.OrderBy(static s => s.Sample).Take(Limits.ReportedUndecoded).Select(static s => UndecodedSample.Of(s.Sample, s.Reason))], trace);
    }

    private ClusterException Blind(string what, UnreadableSample first) =>
        new($"{_name} cannot decode {what}, among them sample {first.Sample} ({first.Reason.TrimEnd('.')}): its copy of the data is gone or damaged; see whether the folder is there and what 'data check' says of it");

    private PreparedLeaf WaitForData(StepPlan plan, BeginStep begin, int leaf, TraceContext trace)
    {
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.DataWait, trace);
        span?.SetTag(ClusterTelemetry.Tags.Worker, _name).SetTag(ClusterTelemetry.Tags.Leaf, leaf);
        var started = Stopwatch.GetTimestamp();
        var prepared = prefetcher.Take(plan, leaf, begin.LeftOut);
        ClusterTelemetry.DataWait.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        return prepared;
    }

    /// <summary>Asks for this step's leaves, then for the same leaves of the next step: leases are sticky.</summary>
    private void Prefetch(StepPlan plan, BeginStep begin)
    {
        RequestAll(plan, begin.Leases, begin.LeftOut);
        if (plan.Step.Value >= settings.TotalSteps) return;
        RequestAll(StepPlan.For(plan.Step.Next(), settings.Samples, settings.Batch, settings.Microbatches), begin.Leases, leftOut: null);
    }

    private void RequestAll(StepPlan plan, IReadOnlyList<LeafRange> leases, IReadOnlyList<int>? leftOut)
    {
        foreach (var range in leases)
            for (var leaf = range.First; leaf < Math.Min(range.End, plan.LeafCount); leaf++) prefetcher.Request(plan, leaf, leftOut);
    }

    /// <summary>Evaluates test batches with the loaded weights, the devices in turn; what cannot be decoded does not count.</summary>
    /// <param name="evaluated">Any device's thread, one at a time.</param>
    /// <exception cref="ClusterException">This worker cannot read its data.</exception>
    public void Evaluate(EvaluateBatches request, Action<BatchEvaluated> evaluated)
    {
        if (crew.First.Evaluation is null) throw new ClusterException("the data set has no test split to evaluate on");
        using var span = ClusterTelemetry.StartChild(ClusterTelemetry.Spans.Evaluate, request.Trace);
        span?.SetTag(ClusterTelemetry.Tags.Worker, _name);
        crew.Each(device => Evaluate(device, device.Evaluation!, request, evaluated));
    }

    private void Evaluate(WorkerDevice device, EvaluationBatches evaluation, EvaluateBatches request, Action<BatchEvaluated> evaluated)
    {
        var classes = device.Engine.ClassCount;
        for (var i = device.Index; i < request.Batches.Count; i += crew.Count)
        {
            var index = request.Batches[i];
            var batch = evaluation.Prepare(index, i + crew.Count < request.Batches.Count ? request.Batches[i + crew.Count] : null);
            var (undecoded, asked) = (evaluation.Unreadable, evaluation.Range(index).Count);
            if (new DataSight(default, default, 0, undecoded.Count, batch.Count).IsBlind) throw Blind($"{undecoded.Count} of {asked} test samples", undecoded[0].Sample);
            var logits = device.Logits(batch.Count);
            if (batch.Count > 0) device.Engine.Predict(batch, logits);
            var sums = EvaluationSums.FromLogits(logits, batch.Labels, classes, settings.Loss.LogitScale, squaredError: settings.Loss.IsSquaredError());
            var done = new BatchEvaluated(
                request.Term, request.Version, index, settings.Worker, batch.Count, sums.LossSum, (int)sums.Correct, (int)sums.Top5Correct,
                InPlace(Predictions.Of(logits, classes), undecoded),
                undecoded.Count == 0 ? null : [.. undecoded.Take(Limits.ReportedUndecoded).Select(static u => UndecodedSample.Of(u.Sample.Sample, u.Sample.Reason))]);
            lock (_telling) evaluated(done);
        }
    }

    /// <summary>Predictions of the decoded samples at the places of all; -1 for the others.</summary>
    private static int[] InPlace(int[] predictions, IReadOnlyList<(int Place, UnreadableSample Sample)> undecoded)
    {
        if (undecoded.Count == 0) return predictions;
        var all = predictions.ToList();
        foreach (var (place, _) in undecoded) all.Insert(place, -1);        // in ascending order
        return [.. all];
    }

    private void ReleasePushed()
    {
        foreach (var pushed in _pushed) pushed.Buffer.Dispose();
        _pushed.Clear();
    }

    public void Dispose()
    {
        ReleasePushed();
        _accumulator.Clear();
        _state.Dispose();
        _nodes.Dispose();
        prefetcher.Dispose();
        crew.Dispose();
    }
}
