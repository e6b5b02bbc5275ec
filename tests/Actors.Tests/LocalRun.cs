using Akka.Actor;
using Akka.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.ParameterServer;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

/// <summary>The real actors in one process around <see cref="LinearEngine"/> and the synthetic data set.</summary>
internal sealed record LocalRun
{
    public int Workers { get; init; } = 2;
    public int Shards { get; init; } = 1;

    /// <summary>Of each worker.</summary>
    public int Devices { get; init; } = 1;

    public int Steps { get; init; } = 4;
    public int Batch { get; init; } = 64;
    public int Microbatches { get; init; } = 8;
    public ulong Seed { get; init; } = 3;

    /// <summary>Traces hang on it: one that nobody else has, where they are looked at.</summary>
    public string RunId { get; init; } = "test";

    public long EvalEvery { get; init; }
    public OptimizerOptions Optimizer { get; init; } = new() { ClipNorm = 1 };
    public NonFinitePolicy NonFinite { get; init; } = NonFinitePolicy.Recompute;

    /// <summary>See <see cref="RunPlan.LookEvery"/>.</summary>
    public long LookEvery { get; init; }

    public Action<WeightsVersion, IReadOnlyList<ShardSnapshot>>? Look { get; init; }

    /// <summary>Worker, step and leaf to what is added to the first gradient element; may throw.</summary>
    public Func<int, StepId, int, float>? OnLeaf { get; init; }

    /// <summary>Runs before every batch of an evaluation.</summary>
    public Action? OnPredict { get; init; }

    /// <summary>Worker and sample of the training split: this worker cannot decode it.</summary>
    public Func<int, int, bool>? CannotRead { get; init; }

    /// <summary>The same of the test split.</summary>
    public Func<int, int, bool>? CannotReadTest { get; init; }

    public sealed record Outcome(IReadOnlyList<CommitRecord> Log, string Hash, IReadOnlyList<EvaluationTotals> Evaluations, IReadOnlyList<string> Said, RunEnd End, string Reason, byte[] LogBytes)
    {
        public IReadOnlyList<int> Predictions { get; init; } = [];

        /// <summary>Per step: what devices waited for data, and computed.</summary>
        public IReadOnlyList<(StepId Step, TimeSpan Waited, TimeSpan Computed)> Work { get; init; } = [];
    }

    private sealed class Listener : IRunListener
    {
        public readonly List<CommitRecord> Log = [];
        public readonly List<EvaluationTotals> Evaluations = [];
        public readonly List<string> Said_ = [];
        public readonly List<(StepId Step, TimeSpan Waited, TimeSpan Computed)> Work = [];
        public IReadOnlyList<int> Predictions = [];
        public readonly TaskCompletionSource<RunOutcome> End = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Begun(StepId step) { }
        public void Committed(CommitRecord record, TimeSpan sincePrevious, bool replayed) => Log.Add(record);
        public void Worked(StepId step, TimeSpan waited, TimeSpan computed) => Work.Add((step, waited, computed));

        public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions)
        {
            Evaluations.Add(totals);
            Predictions = predictions;
        }

        public void Checkpointed(CheckpointWritten checkpoint) { }
        public void Said(string kind, string node, string sentence) => Said_.Add($"{kind} {node}: {sentence}");
        public void Ended(RunOutcome outcome) => End.TrySetResult(outcome);
    }

    public async Task<Outcome> RunAsync(CancellationToken stop = default)
    {
        var (train, test) = Datasets.Open("synthetic", Seed);
        using var _ = train;
        using var __ = test;
        var layout = LinearEngine.LayoutOf(train.Shape, train.ClassCount, Optimizer.NeedsWholeRows());
        var plan = ShardPlan.Deal(layout, Shards);
        var rules = new StepRules(Shards, layout.ParameterChunkCount, StepScaling.Of(Optimizer, layout, train.Count), NonFinite, StragglerRules.Default);
        var schedule = LearningRateSchedule.Create(new ScheduleOptions { Kind = "constant", LearningRate = 0.01 }, Steps, 100);
        var runPlan = new RunPlan(RunId, Seed, layout, train.Count, Batch, Microbatches, Steps, Workers, rules, new TermRules(1, 0, 0), schedule, TestBatches: 3, EvalEvery, CheckpointPolicy.Never)
        { EvaluatesAverage = Optimizer.EmaDecay > 0, LookEvery = LookEvery };
        var folder = Directory.CreateTempSubdirectory("cluster-test-");
        var listener = new Listener();
        var system = ActorSystem.Create("test", ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }"));
        try
        {
            using var store = new RunStore(folder.FullName, new NoCheckpoints());
            var snapshots = system.ActorOf(SnapshotActor.Props(null, layout, runPlan.CounterBase, TimeProvider.System, Look), "snapshots");
            var coordinator = system.ActorOf(CoordinatorActor.Props(runPlan, store, listener, snapshots, TimeProvider.System), "coordinator");
            var workers = new IActorRef[Workers];
            IActorRef[] shards = [];
            var node = new NodeId(0, 1);
            var shardPeers = new ShardPeers(() => workers, w => workers[w.Index], r => shards[r.Shard.Index], e => coordinator.Tell(new CoordinatorActor.Broken(e.Message)));
            shards = [.. plan.Ranges.Select(r => system.ActorOf(
                ParameterShardActor.Props(new ReplicaId(r.Shard, node), new Term(0), new ShardSettings(r.Shard, layout, r, Optimizer), shardPeers), r.Shard.ToString()))];
            var pipeline = new AugmentationPipeline(new AugmentationOptions { PadCrop = 2, Flip = true }, train, Seed);
            var plain = new AugmentationPipeline(new AugmentationOptions(), test, Seed);
            var peers = new WorkerPeers(() => coordinator, r => shards[r.Shard.Index], r => shards[r.Shard.Index]);
            for (var index = 0; index < Workers; index++)
            {
                var i = index;
                workers[i] = system.ActorOf(WorkerActor.Props(
                    new WorkerSettings(new WorkerId(i), Shards, train.Count, Batch, Microbatches, Seed, Steps, new LossOptions()) { Devices = Devices },
                    peers,
                    _ => new LinearEngine(train.Shape, train.ClassCount, Optimizer.NeedsWholeRows()) { OnLeaf = OnLeaf is null ? null : (step, leaf) => OnLeaf(i, step, leaf), OnPredict = OnPredict },
                    () => new LeafPrefetcher(DamagedSource.Of(new PixelSource(train, pipeline), i, CannotRead), Seed, Batch / Microbatches, $"worker-{i}", Limits.PrefetchedLeaves + Devices - 1),
                    () => new EvaluationBatches(DamagedSource.Of(new PixelSource(test, plain), i, CannotReadTest), 200)), $"worker-{i}");
                coordinator.Tell(new CoordinatorActor.WorkerAt(new WorkerId(i), workers[i]));
            }
            coordinator.Tell(new CoordinatorActor.NodeAt(node, shards));
            await using var registration = stop.Register(() => coordinator.Tell(new StopRun("stopped by the test")));
            var outcome = await listener.End.Task.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
            return new Outcome(
                listener.Log, outcome.StateSha256 ?? "", listener.Evaluations, listener.Said_, outcome.End, outcome.Reason,
                await File.ReadAllBytesAsync(Path.Combine(folder.FullName, RunStore.CommitsName), CancellationToken.None))
            { Predictions = listener.Predictions, Work = listener.Work };
        }
        finally
        {
            await system.Terminate();
            folder.Delete(recursive: true);
        }
    }

    private sealed class NoCheckpoints : ICheckpointSource
    {
        public WeightsVersion? Newest(StepId logged) => null;
        public LoadShard Load(WeightsVersion version) => throw new InvalidOperationException("there is none");
    }
}
