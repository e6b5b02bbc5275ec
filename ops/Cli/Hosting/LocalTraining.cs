using System.Diagnostics;
using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.ParameterServer;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>All roles in one process: composes data, engines and actors into a run and waits for its end.</summary>
public static class LocalTraining
{
    private static readonly TimeSpan SnapshotTimeout = TimeSpan.FromMinutes(2);

    /// <param name="run">Validated; its folder exists and is claimed.</param>
    /// <param name="folder">Gets commits.jsonl, the resolved facts and the summary.</param>
    /// <param name="stop">Finishes the open step, then ends the run with <see cref="RunStoppedException"/>.</param>
    /// <exception cref="UserMistakeException">Data, device or options that cannot work.</exception>
    /// <exception cref="ClusterException">The run failed.</exception>
    public static async Task<TrainingSummary> RunAsync(ResolvedRun run, RunFolder folder, ITrainingObserver observer, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(observer);
        var options = run.Options;
        var (train, test) = Datasets.Open(options.Data, options.Seed);
        using var trainSet = train;
        using var testSet = test;
        var engines = new EngineFactory(options, train);
        var layout = engines.Layout;
        var shards = ShardPlan.Deal(layout, options.Ps);
        var plan = PlanOf(options, train, test, layout);
        var runId = plan.RunId;
        folder.WriteConfig(new Dictionary<string, string>
        {
            ["run-id"] = runId,
            ["training-samples"] = train.Count.ToString(),
            ["test-samples"] = test.Count.ToString(),
            ["steps-per-epoch"] = StepPlan.StepsPerEpoch(train.Count, options.Batch).ToString(),
            ["total-steps"] = plan.TotalSteps.ToString(),
            ["data-fingerprint"] = train.Fingerprint,
            ["parameters"] = layout.ParameterFloats.ToString(),
            ["layout-hash"] = layout.Hash,
        });
        observer.Starting(run, $"{options.Model}, {layout.ParameterFloats:N0} parameters; {train.Name}, {train.Count:N0} images; {plan.TotalSteps:N0} steps of {options.Batch}; {options.Workers} {(options.Workers == 1 ? "worker" : "workers")}, {options.Ps} parameter {(options.Ps == 1 ? "shard" : "shards")}");

        using var log = CommitLogFile.Create(Path.Combine(run.OutDirectory, RunFolder.CommitsName));
        var listener = new RunListener(plan, folder, observer);
        var system = ActorSystem.Create("cluster", ActorConfiguration.Create());
        try
        {
            var actors = Compose(system, options, plan, layout, shards, engines, train, test, log, listener);
            await using var stopping = stop.Register(() => actors.Coordinator.Tell(new StopRun("interrupted")));
            await listener.Completion;
            var hash = await HashAsync(actors.Shards, layout, listener.LastStep);
            log.Flush();
            var summary = listener.Summary(hash);
            if (listener.Interrupted) throw new RunStoppedException(summary);
            return summary;
        }
        finally
        {
            await system.Terminate();
            system.Dispose();
        }
    }

    private static RunPlan PlanOf(RunOptions options, IDataset train, IDataset test, ParameterLayout layout)
    {
        var stepsPerEpoch = StepPlan.StepsPerEpoch(train.Count, options.Batch);
        var recipeSteps = Math.Max(1, (long)Math.Round(options.Epochs * stepsPerEpoch));
        var total = options.Steps ?? recipeSteps;
        var schedule = LearningRateSchedule.Create(options.Schedule, options.Schedule.TotalSteps ?? recipeSteps, stepsPerEpoch);
        var rules = new StepRules(options.Ps, layout.ParameterChunkCount, options.Optimizer.ClipNorm, NonFinitePolicy.Recompute, LeafBudgetMilliseconds: 0);
        var testBatches = (test.Count + EvaluationBatches.DefaultBatchSize - 1) / EvaluationBatches.DefaultBatchSize;
        return new RunPlan(
            Guid.NewGuid().ToString("N"), options.Seed, train.Count, options.Batch, options.Microbatches, total, options.Workers, rules, schedule,
            testBatches, options.EvalEvery, CheckpointPolicy.Never);
    }

    private sealed record Actors(IActorRef Coordinator, IReadOnlyList<IActorRef> Shards);

    private static Actors Compose(
        ActorSystem system, RunOptions options, RunPlan plan, ParameterLayout layout, ShardPlan shards, EngineFactory engines,
        IDataset train, IDataset test, CommitLogFile log, RunListener listener)
    {
        var coordinator = system.ActorOf(CoordinatorActor.Props(plan, log, listener, TimeProvider.System).WithDispatcher(ActorConfiguration.Dispatcher), "coordinator");
        var shardActors = shards.Ranges.Select(range => system.ActorOf(
            ParameterShardActor.Props(new ShardSettings(range.Shard, layout, range, options.Optimizer)).WithDispatcher(ActorConfiguration.Dispatcher),
            range.Shard.ToString())).ToArray();
        var training = new AugmentationPipeline(options.Augmentation, train, options.Seed);
        var evaluation = new AugmentationPipeline(new AugmentationOptions { Mean = options.Augmentation.Mean, Std = options.Augmentation.Std }, test, options.Seed);
        var maxLeaf = (options.Batch + options.Microbatches - 1) / options.Microbatches;
        var workers = Enumerable.Range(0, options.Workers).Select(index =>
        {
            var id = new WorkerId(index);
            var settings = new WorkerSettings(id, train.Count, options.Batch, options.Microbatches, options.Seed, plan.TotalSteps, options.Loss.LogitScale);
            return system.ActorOf(
                WorkerActor.Props(
                    settings,
                    () => engines.Create(index),
                    () => new LeafPrefetcher(train, training, options.Seed, maxLeaf, id.ToString()),
                    () => test.Count == 0 ? null : new EvaluationBatches(test, evaluation)).WithDispatcher(ActorConfiguration.Dispatcher),
                id.ToString());
        }).ToArray();
        foreach (var shard in shardActors) shard.Tell(new ParameterShardActor.Wiring(coordinator, workers));
        coordinator.Tell(new CoordinatorActor.Wiring(workers, shardActors, Checkpoints: null));
        foreach (var worker in workers) worker.Tell(new WorkerActor.Wiring(coordinator, shardActors));
        return new Actors(coordinator, shardActors);
    }

    /// <summary>SHA-256 of the state after the last step, from copies that the shards hand over.</summary>
    private static async Task<string> HashAsync(IReadOnlyList<IActorRef> shards, ParameterLayout layout, StepId last)
    {
        var snapshots = await Task.WhenAll(shards.Select(s => s.Ask<ShardSnapshot>(new SnapshotShard(Term.First, last.Produces), SnapshotTimeout)));
        try
        {
            using var hash = new StateHash(layout, last.Produces);
            foreach (var snapshot in snapshots) hash.AppendState(snapshot.Weights.Span);
            hash.AppendCounters(_ => snapshots[0].AppliedSteps);
            foreach (var slot in snapshots[0].Slots.Keys.Order(StringComparer.Ordinal))
            {
                hash.BeginSlot(slot);
                // A shard of buffers alone has no optimizer state.
                foreach (var snapshot in snapshots)
                    if (snapshot.Slots.TryGetValue(slot, out var values)) hash.AppendSlot(values.Span);
            }
            return hash.Finish();
        }
        finally
        {
            foreach (var snapshot in snapshots)
            {
                snapshot.Weights.Dispose();
                foreach (var slot in snapshot.Slots.Values) slot.Dispose();
            }
        }
    }
}

/// <summary>The run was interrupted; what it had done by then is in the summary.</summary>
public sealed class RunStoppedException : ClusterException
{
    public RunStoppedException(TrainingSummary summary) : base($"interrupted after step {summary?.Steps}") => Summary = summary;
    public RunStoppedException(string message) : base(message) { }
    public RunStoppedException(string message, Exception inner) : base(message, inner) { }
    public RunStoppedException() { }

    public TrainingSummary? Summary { get; }
}
