using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.ParameterServer;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

/// <summary>
/// The real actors of a run on several nodes, in one process: coordinators, nodes with a slot per shard, workers around
/// <see cref="LinearEngine"/>. Nodes and workers can be killed and started at any time, from any thread.
/// </summary>
internal sealed class ClusterRun : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ActorSystem _system = ActorSystem.Create("test", ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }"));
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-test-");
    private readonly (IDataset Train, IDataset Test) _data = Datasets.Open("synthetic", Seed);
    private readonly ConcurrentDictionary<NodeId, IActorRef[]> _nodes = new();
    private readonly ConcurrentDictionary<WorkerId, IActorRef> _workers = new();
    private readonly List<RunStore> _stores = [];
    private readonly MemoryCheckpoints _checkpoints;
    private long _incarnation;
    private volatile IActorRef? _coordinator;

    private const ulong Seed = 3;
    private const int Batch = 64, Microbatches = 8;

    public ClusterRun() => _checkpoints = new MemoryCheckpoints(LinearEngine.LayoutOf(_data.Train.Shape, _data.Train.ClassCount));

    /// <summary>Traces hang on it: one that nobody else has, where they are looked at.</summary>
    public string RunId { get; init; } = "test";

    public int Workers { get; init; } = 2;
    public int Shards { get; init; } = 2;
    public int Nodes { get; init; } = 2;
    public int Replicas { get; init; } = 1;
    public int Steps { get; init; } = 6;
    public long EvalEvery { get; init; }
    public OptimizerOptions Optimizer { get; init; } = new() { ClipNorm = 1 };
    public CheckpointPolicy Checkpoints { get; init; } = CheckpointPolicy.Never;
    public ScheduleOptions Schedule { get; init; } = new() { LearningRate = 0.01 };
    public EarlyStoppingOptions EarlyStopping { get; init; } = new();

    public MemoryCheckpoints Kept => _checkpoints;

    /// <summary>How long missing nodes are waited for; long, so that a test decides itself whether they come.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(2);
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of coordinators that are started from now on.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Worker, step and leaf, before the leaf is computed; on the worker's compute thread.</summary>
    public Action<int, StepId, int>? OnLeaf { get; set; }

    /// <summary>Worker, before a batch is evaluated; on the worker's compute thread.</summary>
    public Action<int>? OnPredict { get; set; }

    /// <summary>Worker and training sample: it cannot be decoded. Any thread.</summary>
    public Func<int, int, bool>? CannotRead { get; set; }

    /// <summary>On the coordinator's thread, when a step's leases are out.</summary>
    public Action<StepId>? OnBegun { get; set; }

    /// <summary>Stands between a coordinator and its folder.</summary>
    public Func<IRunStore, IRunStore> Through { get; set; } = static store => store;

    public string Folder => _folder.FullName;

    public ParameterLayout Layout => LinearEngine.LayoutOf(_data.Train.Shape, _data.Train.ClassCount, Optimizer.NeedsWholeRows());

    public IReadOnlyCollection<NodeId> LivingNodes => [.. _nodes.Keys.Order()];

    /// <summary>A coordinator over the run's folder, all nodes, all workers.</summary>
    public RunRecorder Start()
    {
        var recorder = StartCoordinator();
        for (var index = 0; index < Nodes; index++) StartNode(index);
        for (var index = 0; index < Workers; index++) StartWorker(index);
        return recorder;
    }

    /// <summary>Starts one more coordinator over the same folder. Who is there is told to it, and workers turn to it; an earlier one stays as it is.</summary>
    public RunRecorder StartCoordinator()
    {
        var recorder = new RunRecorder { OnBegun = step => OnBegun?.Invoke(step) };
        var layout = Layout;
        var rules = new StepRules(Shards, layout.ParameterChunkCount, StepScaling.Of(Optimizer, layout, _data.Train.Count), NonFinitePolicy.Recompute, StragglerRules.Default);
        var schedule = LearningRateSchedule.Create(Schedule, Steps, 100);
        var plan = new RunPlan(
            RunId, Seed, layout, _data.Train.Count, Batch, Microbatches, Steps, Workers, rules, new TermRules(Nodes, Replicas, Grace.TotalMilliseconds), schedule,
            TestBatches: 3, EvalEvery, Checkpoints)
        { Silence = Silence, EarlyStopping = EarlyStopping, EndsWithLastWorker = false, EvaluatesAverage = Optimizer.EmaDecay > 0 };
        var store = new RunStore(_folder.FullName, _checkpoints);
        lock (_stores) _stores.Add(store);
        var snapshots = _system.ActorOf(SnapshotActor.Props(_checkpoints, layout, plan.CounterBase, TimeProvider.System));
        var coordinator = _system.ActorOf(CoordinatorActor.Props(plan, Through(store), recorder, snapshots, Time));
        _coordinator = coordinator;
        foreach (var (worker, actor) in _workers) coordinator.Tell(new CoordinatorActor.WorkerAt(worker, actor));
        foreach (var (node, slots) in _nodes) coordinator.Tell(new CoordinatorActor.NodeAt(node, slots));
        foreach (var actor in _workers.Values) actor.Tell(new WorkerActor.Announce());
        return recorder;
    }

    /// <summary>The coordinator that was started last.</summary>
    public IActorRef Coordinator => _coordinator!;

    /// <summary>Stops the present coordinator as a killed process would stop: without a word.</summary>
    public async Task KillCoordinator()
    {
        var coordinator = _coordinator!;
        _coordinator = null;
        await coordinator.GracefulStop(Patience);
    }

    public NodeId StartNode(int index)
    {
        var node = new NodeId(index, Interlocked.Increment(ref _incarnation));
        var layout = Layout;
        var peers = new ShardPeers(() => [.. _workers.Values], w => _workers.GetValueOrDefault(w), Slot, e => _coordinator?.Tell(new CoordinatorActor.Broken(e.Message)));
        IActorRef[] slots =
        [
            .. ShardPlan.Deal(layout, Shards).Ranges.Select(r =>
                _system.ActorOf(ParameterShardActor.Props(new ReplicaId(r.Shard, node), RunStore.TermOf(Folder), new ShardSettings(r.Shard, layout, r, Optimizer), peers))),
        ];
        _nodes[node] = slots;
        _coordinator?.Tell(new CoordinatorActor.NodeAt(node, slots));
        return node;
    }

    private IActorRef? Slot(ReplicaId replica) => _nodes.TryGetValue(replica.Node, out var slots) ? slots[replica.Shard.Index] : null;

    public void KillNode(int index)
    {
        var (node, slots) = _nodes.Single(n => n.Key.Index == index);
        _nodes.TryRemove(node, out _);
        foreach (var slot in slots) _system.Stop(slot);
        _coordinator?.Tell(new CoordinatorActor.NodeGone(node, "killed by the test"));
    }

    public void StartWorker(int index)
    {
        var worker = new WorkerId(index);
        var (train, test) = _data;
        var pipeline = new AugmentationPipeline(new AugmentationOptions { PadCrop = 2, Flip = true }, train, Seed);
        var plain = new AugmentationPipeline(new AugmentationOptions(), test, Seed);
        var actor = _system.ActorOf(WorkerActor.Props(
            new WorkerSettings(worker, Shards, train.Count, Batch, Microbatches, Seed, Steps, new LossOptions()),
            new WorkerPeers(() => _coordinator, Slot, Slot),
            _ => new LinearEngine(train.Shape, train.ClassCount, Optimizer.NeedsWholeRows()) { OnLeaf = (step, leaf) => Before(index, step, leaf), OnPredict = () => OnPredict?.Invoke(index) },
            () => new LeafPrefetcher(DamagedSource.Of(new PixelSource(train, pipeline), index, (w, s) => CannotRead?.Invoke(w, s) == true), Seed, Batch / Microbatches, worker.ToString()),
            () => new EvaluationBatches(new PixelSource(test, plain), 200)));
        _workers[worker] = actor;
        _coordinator?.Tell(new CoordinatorActor.WorkerAt(worker, actor));
    }

    private float Before(int worker, StepId step, int leaf)
    {
        OnLeaf?.Invoke(worker, step, leaf);
        return 0;
    }

    public void KillWorker(int index)
    {
        if (!_workers.TryRemove(new WorkerId(index), out var actor)) return;
        _system.Stop(actor);
        _coordinator?.Tell(new CoordinatorActor.WorkerGone(new WorkerId(index), "killed by the test", IsPlanned: false));
    }

    /// <summary>The state of a version that was checkpointed; the caller releases it.</summary>
    public LoadShard Checkpoint(WeightsVersion version) => _checkpoints.Load(version);

    /// <summary>The log on disk.</summary>
    public IReadOnlyList<CommitRecord> Log() => [.. CommitLog.Read(File.ReadAllBytes(Path.Combine(Folder, RunStore.CommitsName))).Lines.Select(static l => l.Record)];

    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        _system.Dispose();
        foreach (var store in _stores) store.Dispose();
        _checkpoints.Dispose();
        _data.Train.Dispose();
        _data.Test.Dispose();
        _folder.Delete(recursive: true);
    }
}
