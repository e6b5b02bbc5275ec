using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>A worker and its device. Carries out what <see cref="WorkerProtocol"/> decides; leaves take time, sometimes a lot.</summary>
internal sealed class WorkerProcess : Process
{
    private readonly Dictionary<(WeightsVersion, ShardId), float[]> _parts = [];
    private WorkerState _state;
    private Process? _coordinator;
    private float[] _weights = [];
    private Job? _job;
    private bool _isComputing;

    public WorkerProcess(World world, int index, long incarnation) : base(world, $"worker-{index}.{incarnation}", SimulationEndpoints.Worker(index), incarnation)
    {
        Id = new WorkerId(index);
        _state = new WorkerState { Worker = Id, Shards = world.Scenario.Shards };
        LeafMilliseconds = world.Random.Between(10, 30);
    }

    public WorkerId Id { get; }

    /// <summary>How long it takes for a leaf on average.</summary>
    public double LeafMilliseconds { get; set; }

    /// <summary>The device does nothing until then, although the process lives.</summary>
    public double HangsUntil { get; set; }

    /// <summary>The work of one attempt.</summary>
    private sealed class Job(BeginStep begin)
    {
        public BeginStep Begin { get; } = begin;
        public Queue<int> Queue { get; } = [];
        public List<TreeNode> Nodes { get; } = [];
        public TreeShape Shape { get; } = new(begin.LeafCount, begin.EmptyLeaves);

        /// <summary>Without a gradient: a leaf that was read in vain, or of which nothing is left, or that is not finite.</summary>
        public SortedDictionary<int, (IStepInput Report, float[]? Gradient)> Done { get; } = [];
        public SortedDictionary<TreeNode, float[]> Pushed { get; } = [];
    }

    public override void Receive(Process from, object message, object? tensors)
    {
        if (World.IsTracing) World.Say(this, $"from {from}: {EventText.Of(message)}");
        var sent = (IWorkerInput)message;
        var input = World.Plant.ToWorker(_state, sent);
        if (input is BeginStep begin && begin.Term >= _state.Term) _coordinator = from;
        var (next, effects) = WorkerProtocol.Advance(_state, input);
        _state = next;
        foreach (var effect in effects)
        {
            if (!IsAlive) return;
            Run(effect, tensors);
        }
    }

    private void Run(WorkerEffect effect, object? tensors)
    {
        switch (effect)
        {
            case WorkerEffect.Compute compute:
                Take(compute);
                break;
            case WorkerEffect.ReportAgain again:
                if (_job is { } job && _state.IsCurrent(job.Begin.Term, job.Begin.Step, job.Begin.Attempt))
                    foreach (var leaf in again.Leaves)
                        if (job.Done.TryGetValue(leaf, out var done)) Report(done.Report);
                break;
            case WorkerEffect.Push push:
                if (_job is { } pushed && _state.IsCurrent(pushed.Begin.Term, pushed.Begin.Step, pushed.Begin.Attempt))
                    foreach (var (node, value) in pushed.Pushed) Push(pushed, node, value, push.Shards);
                break;
            case WorkerEffect.Keep keep:
                _parts[(keep.Part.Version, keep.Part.Shard)] = (float[])tensors!;
                break;
            case WorkerEffect.Load load:
                _weights = [.. Enumerable.Range(0, World.Scenario.Shards).SelectMany(p => _parts[(load.Version, new ShardId(p))])];
                foreach (var part in _parts.Keys.Where(k => k.Item1 <= load.Version).ToArray()) _parts.Remove(part);
                World.Invariants.WorkerHolds(this, load.Version, _weights);
                // Leaves of another version can no longer be computed.
                if (_job is { } old && old.Begin.Step.Consumes != load.Version) old.Queue.Clear();
                break;
            case WorkerEffect.Ask ask:
                if (World.Supervisor.Node(ask.Place.Primary) is { } shard) World.Network.Send(this, shard, new ToSlot(ask.Place.Shard, ask.Message));
                break;
            case WorkerEffect.Refuse refuse:
                World.Count("refused, " + refuse.Reason);
                break;
            default: throw new InvariantViolation(InvariantNames.NeverStuck, $"a worker has no way to {effect}");
        }
    }

    private void Take(WorkerEffect.Compute compute)
    {
        var begin = compute.Begin;
        if (_job is null || (_job.Begin.Term, _job.Begin.Step, _job.Begin.Attempt) != (begin.Term, begin.Step, begin.Attempt)) _job = new Job(begin);
        foreach (var lease in compute.Leases)
        {
            for (var leaf = lease.First; leaf < lease.End; leaf++) _job.Queue.Enqueue(leaf);
            _job.Nodes.AddRange(TreeNode.Cover(lease, begin.LeafCount));
        }
        ComputeNext();
    }

    private void ComputeNext()
    {
        if (_isComputing || _job is not { } job || !job.Queue.TryDequeue(out var leaf)) return;
        _isComputing = true;
        var weights = _weights;
        After(LeafMilliseconds * World.Random.Between(0.9, 1.2), () => Finish(job, leaf, weights));
    }

    private void Finish(Job job, int leaf, float[] weights)
    {
        if (World.Now < HangsUntil)
        {
            if (double.IsFinite(HangsUntil)) After(HangsUntil - World.Now, () => Finish(job, leaf, weights));
            return;
        }
        _isComputing = false;
        World.Count("leaves computed");
        var (done, gradient) = Compute(job.Begin, leaf, weights);
        job.Done[leaf] = (done, gradient);
        foreach (var node in job.Nodes.Where(n => job.Shape.Exists(n) && !job.Pushed.ContainsKey(n)).ToArray())
        {
            var leaves = node.Leaves(job.Begin.LeafCount);
            if (!Enumerable.Range(leaves.First, leaves.Count).All(l => job.Shape.IsEmpty(l) || job.Done.TryGetValue(l, out var one) && one.Gradient is not null)) continue;
            job.Pushed[node] = Value(job, node);
            Push(job, node, job.Pushed[node], [.. Enumerable.Range(0, World.Scenario.Shards).Select(static p => new ShardId(p))]);
        }
        World.Faults.Passes(FaultPoint.LeafComputed, this);
        if (!IsAlive) return;
        Do(() =>
        {
            Report(done);
            ComputeNext();
        });
    }

    private (IStepInput Report, float[]? Gradient) Compute(BeginStep begin, int leaf, float[] weights)
    {
        var step = begin.Step;
        var plan = World.Scenario.Plan(step);
        var left = World.Scenario.SamplesOf(plan, leaf).Where(s => begin.LeftOut?.Contains(s) != true).ToArray();
        var unreadable = left.Where(s => !World.Damage.CanRead(Id, s)).Select(static s => new UndecodedSample(s, "damaged")).ToArray();
        if (unreadable.Length > 0)
        {
            World.Count("leaves unreadable");
            return (new LeafUnreadable(begin.Term, step, begin.Attempt, leaf, Id, unreadable, default), null);
        }
        var digest = plan.DigestOf(leaf, new SampleOrder(World.Scenario.Seed, plan.Epoch, World.Scenario.TrainingSamples), begin.LeftOut);
        var isAudited = begin.AuditLeaf == leaf;
        var lie = isAudited && World.Faults.Lies(Id, step) ? 1 : 0;
        if (left.Length == 0) return (new LeafDone(begin.Term, step, begin.Attempt, leaf, Id, 0, 0, 0, digest, true, null, default, isAudited ? LeafHash.Of([], lie, 0) : null), null);
        var isFinite = !World.Faults.Spoils(Id, step, leaf);
        var gradient = Arithmetic.Gradient(weights, step, leaf, Arithmetic.Missing(World.Scenario, plan, leaf, begin.LeftOut));
        if (!isFinite) gradient = Arithmetic.Spoilt(gradient);
        var (loss, correct) = (Arithmetic.LossSum(weights, step, leaf), Arithmetic.CorrectCount(step, leaf, left.Length));
        var done = new LeafDone(begin.Term, step, begin.Attempt, leaf, Id, left.Length, loss, correct, digest, isFinite, isFinite ? null : "w", default,
            isAudited ? LeafHash.Of(gradient, loss + lie, correct) : null);
        return (done, isFinite ? gradient : null);
    }

    private float[] Value(Job job, TreeNode node)
    {
        if (node.IsLeaf) return job.Done[node.Index].Gradient!;
        if (!job.Shape.Exists(node.Left)) return World.Plant.PassThrough(Value(job, node.Right));
        var left = Value(job, node.Left);
        return job.Shape.Exists(node.Right) ? Arithmetic.Add(left, Value(job, node.Right))
            : node.Right.Exists(job.Begin.LeafCount) ? World.Plant.PassThrough(left) : left;
    }

    private void Push(Job job, TreeNode node, float[] value, IReadOnlyList<ShardId> shards)
    {
        if (_state.Routes is not { } routes) return;
        var message = new GradientNode(job.Begin.Term, job.Begin.Step, job.Begin.Attempt, node, job.Begin.LeafCount, Id, 0, null!, default) { EmptyLeaves = job.Begin.EmptyLeaves };
        foreach (var shard in shards)
            if (World.Supervisor.Node(routes.Places[shard.Index].Primary) is { } primary) World.Network.Send(this, primary, new ToSlot(shard, message), value);
    }

    private void Report(IStepInput done)
    {
        if (_coordinator is { } coordinator) World.Network.Send(this, coordinator, done);
    }
}
