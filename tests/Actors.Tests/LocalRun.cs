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
    public int Steps { get; init; } = 4;
    public int Batch { get; init; } = 64;
    public int Microbatches { get; init; } = 8;
    public ulong Seed { get; init; } = 3;
    public long EvalEvery { get; init; }
    public double ClipNorm { get; init; } = 1.0;
    public NonFinitePolicy NonFinite { get; init; } = NonFinitePolicy.Recompute;

    /// <summary>Worker, step and leaf to what is added to the first gradient element; may throw.</summary>
    public Func<int, StepId, int, float>? OnLeaf { get; init; }

    public sealed record Outcome(IReadOnlyList<CommitRecord> Log, string Hash, IReadOnlyList<EvaluationTotals> Evaluations, IReadOnlyList<string> Said, RunEnd End, string Reason, byte[] LogBytes);

    private sealed class Listener : IRunListener
    {
        public readonly List<CommitRecord> Log = [];
        public readonly List<EvaluationTotals> Evaluations = [];
        public readonly List<string> Said_ = [];
        public readonly TaskCompletionSource<(StepId, RunEnd, string)> End = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Committed(CommitRecord record, TimeSpan sincePrevious, bool replayed) => Log.Add(record);
        public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions) => Evaluations.Add(totals);
        public void Checkpointed(CheckpointWritten checkpoint) { }
        public void Said(string kind, string node, string sentence) => Said_.Add($"{kind} {node}: {sentence}");
        public void Ended(StepId last, RunEnd end, string reason) => End.TrySetResult((last, end, reason));
    }

    public async Task<Outcome> RunAsync(CancellationToken stop = default)
    {
        var (train, test) = Datasets.Open("synthetic", Seed);
        using var _ = train;
        using var __ = test;
        var layout = LinearEngine.LayoutOf(train.Shape, train.ClassCount);
        var plan = ShardPlan.Deal(layout, Shards);
        var rules = new StepRules(Shards, layout.ParameterChunkCount, ClipNorm, NonFinite, 0);
        var optimizer = new OptimizerOptions();
        var schedule = LearningRateSchedule.Create(new ScheduleOptions { Kind = "constant", LearningRate = 0.01 }, Steps, 100);
        var runPlan = new RunPlan("test", Seed, train.Count, Batch, Microbatches, Steps, Workers, rules, schedule, TestBatches: 3, EvalEvery, CheckpointPolicy.Never);
        var path = Path.Combine(Path.GetTempPath(), $"cluster-test-{Guid.NewGuid():N}.jsonl");
        var listener = new Listener();
        var system = ActorSystem.Create("test", ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }"));
        try
        {
            using var log = CommitLogFile.Create(path);
            var coordinator = system.ActorOf(CoordinatorActor.Props(runPlan, log, listener, TimeProvider.System), "coordinator");
            var shards = plan.Ranges.Select(r => system.ActorOf(ParameterShardActor.Props(new ShardSettings(r.Shard, layout, r, optimizer)), r.Shard.ToString())).ToArray();
            var pipeline = new AugmentationPipeline(new AugmentationOptions { PadCrop = 2, Flip = true }, train, Seed);
            var plain = new AugmentationPipeline(new AugmentationOptions(), test, Seed);
            var workers = Enumerable.Range(0, Workers).Select(i => system.ActorOf(WorkerActor.Props(
                new WorkerSettings(new WorkerId(i), train.Count, Batch, Microbatches, Seed, Steps, LogitScale: 1),
                () => new LinearEngine(train.Shape, train.ClassCount) { OnLeaf = OnLeaf is null ? null : (step, leaf) => OnLeaf(i, step, leaf) },
                () => new LeafPrefetcher(train, pipeline, Seed, Batch / Microbatches, $"worker-{i}"),
                () => new EvaluationBatches(test, plain, 200)), $"worker-{i}")).ToArray();
            foreach (var shard in shards) shard.Tell(new ParameterShardActor.Wiring(coordinator, workers));
            coordinator.Tell(new CoordinatorActor.Wiring(workers, shards, Checkpoints: null));
            foreach (var worker in workers) worker.Tell(new WorkerActor.Wiring(coordinator, shards));
            await using var registration = stop.Register(() => coordinator.Tell(new StopRun("stopped by the test")));
            var (last, end, reason) = await listener.End.Task.WaitAsync(TimeSpan.FromSeconds(60));
            var hash = end is RunEnd.Finished or RunEnd.Stopped && last.Value > 0 ? await HashAsync(shards, layout, last) : "";
            return new Outcome(listener.Log, hash, listener.Evaluations, listener.Said_, end, reason, await File.ReadAllBytesAsync(path));
        }
        finally
        {
            await system.Terminate();
            File.Delete(path);
        }
    }

    private static async Task<string> HashAsync(IActorRef[] shards, ParameterLayout layout, StepId last)
    {
        using var hash = new StateHash(layout, last.Produces);
        var snapshots = await Task.WhenAll(shards.Select(s => s.Ask<ShardSnapshot>(new SnapshotShard(Term.First, last.Produces), TimeSpan.FromSeconds(20))));
        foreach (var s in snapshots) hash.AppendState(s.Weights.Span);
        hash.AppendCounters(_ => snapshots[0].AppliedSteps);
        hash.BeginSlot(SgdRule.MomentumSlot);
        foreach (var s in snapshots)
            if (s.Slots.TryGetValue(SgdRule.MomentumSlot, out var slot)) hash.AppendSlot(slot.Span);
        foreach (var s in snapshots)
        {
            s.Weights.Dispose();
            foreach (var slot in s.Slots.Values) slot.Dispose();
        }
        return hash.Finish();
    }
}
