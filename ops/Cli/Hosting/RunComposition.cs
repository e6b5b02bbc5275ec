using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.ParameterServer;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>The actors of a run in one process, wired to each other.</summary>
internal sealed record RunComposition(IActorRef Coordinator, IReadOnlyList<IActorRef> Shards)
{
    private static readonly TimeSpan SnapshotTimeout = TimeSpan.FromMinutes(2);

    /// <param name="writer">Null when nothing is to be kept.</param>
    public static RunComposition Create(
        ActorSystem system, RunOptions options, RunPlan plan, EngineFactory engines, IDataset train, IDataset test,
        CommitLogFile log, IRunListener listener, ICheckpointWriter? writer)
    {
        var layout = engines.Layout;
        var coordinator = Spawn(CoordinatorActor.Props(plan, log, listener, TimeProvider.System), "coordinator");
        var checkpoints = writer is null ? null : Spawn(CheckpointActor.Props(writer, TimeProvider.System), "checkpoints");
        var shards = ShardPlan.Deal(layout, options.Ps).Ranges
            .Select(range => Spawn(ParameterShardActor.Props(new ShardSettings(range.Shard, layout, range, options.Optimizer)), range.Shard.ToString()))
            .ToArray();
        var training = new AugmentationPipeline(options.Augmentation, train, options.Seed);
        var evaluation = new AugmentationPipeline(new AugmentationOptions { Mean = options.Augmentation.Mean, Std = options.Augmentation.Std }, test, options.Seed);
        var workers = Enumerable.Range(0, options.Workers).Select(index =>
        {
            var id = new WorkerId(index);
            var settings = new WorkerSettings(id, train.Count, options.Batch, options.Microbatches, options.Seed, plan.TotalSteps, options.Loss.LogitScale);
            return Spawn(
                WorkerActor.Props(
                    settings,
                    () => engines.Create(index),
                    () => new LeafPrefetcher(train, training, options.Seed, options.Batch / options.Microbatches, id.ToString()),
                    () => test.Count == 0 ? null : new EvaluationBatches(test, evaluation)),
                id.ToString());
        }).ToArray();
        foreach (var shard in shards) shard.Tell(new ParameterShardActor.Wiring(coordinator, workers));
        coordinator.Tell(new CoordinatorActor.Wiring(workers, shards, checkpoints));
        foreach (var worker in workers) worker.Tell(new WorkerActor.Wiring(coordinator, shards));
        return new RunComposition(coordinator, shards);

        IActorRef Spawn(Props props, string name) => system.ActorOf(props.WithDispatcher(ActorConfiguration.Dispatcher), name);
    }

    /// <summary>SHA-256 of the state after the last step, from snapshots that the shards hand over.</summary>
    public async Task<string> HashAsync(ParameterLayout layout, StepId last, IReadOnlyDictionary<string, long> counterBase)
    {
        var snapshots = await Task.WhenAll(Shards.Select(s => s.Ask<ShardSnapshot>(new SnapshotShard(Term.First, last.Produces), SnapshotTimeout)));
        try
        {
            using var hash = new StateHash(layout, last.Produces);
            foreach (var snapshot in snapshots) hash.AppendState(snapshot.Weights.Span);
            hash.AppendCounters(entry => counterBase.GetValueOrDefault(entry.Name) + snapshots[0].AppliedSteps);
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
