using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.ParameterServer;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>The actors of a run in one process: one node that holds all shards, and workers that share its memory.</summary>
internal static class RunComposition
{
    /// <param name="writer">Null when nothing is to be kept.</param>
    /// <param name="look">See <see cref="SnapshotActor"/>.</param>
    /// <returns>The coordinator.</returns>
    public static IActorRef Create(
        ActorSystem system, RunOptions options, RunPlan plan, IEngineSource engines, IDataset train, IDataset test,
        IRunStore store, IRunListener listener, ICheckpointWriter? writer, Action<WeightsVersion, IReadOnlyList<ShardSnapshot>>? look = null)
    {
        var layout = engines.Layout;
        var snapshots = Spawn(system, SnapshotActor.Props(writer, layout, plan.CounterBase, TimeProvider.System, look), "snapshots");
        var coordinator = Spawn(system, CoordinatorActor.Props(plan, store, listener, snapshots, TimeProvider.System), "coordinator");
        var node = new NodeId(0, 1);
        var workers = new IActorRef[options.Workers];
        IActorRef[] slots = [];
        var shardPeers = new ShardPeers(
            () => workers, worker => workers[worker.Index], replica => slots[replica.Shard.Index],
            e => coordinator.Tell(new CoordinatorActor.Broken($"a parameter shard failed: {e.Message}")));
        slots = [.. ShardPlan.Deal(layout, options.Ps).Ranges.Select(range => Spawn(
            system, ParameterShardActor.Props(new ReplicaId(range.Shard, node), store.ReadTerm(), new ShardSettings(range.Shard, layout, range, options.Optimizer) { TrainingSamples = train.Count }, shardPeers), range.Shard.ToString()))];
        var peers = new WorkerPeers(() => coordinator, replica => slots[replica.Shard.Index], replica => slots[replica.Shard.Index]);
        for (var index = 0; index < workers.Length; index++)
        {
            var worker = new WorkerId(index);
            workers[index] = Spawn(system, WorkerOf(worker, options, plan.TotalSteps, engines, train, test, peers), worker.ToString());
            coordinator.Tell(new CoordinatorActor.WorkerAt(worker, workers[index]));
        }
        coordinator.Tell(new CoordinatorActor.NodeAt(node, slots));
        return coordinator;
    }

    /// <summary>A worker of this run, in whatever process.</summary>
    /// <param name="memory">Where its gradients lie; null = memory of this process alone.</param>
    public static Props WorkerOf(WorkerId worker, RunOptions options, long totalSteps, IEngineSource engines, IDataset train, IDataset test, WorkerPeers peers, IBufferMemory? memory = null)
    {
        var training = train.With(options.Augmentation, options.Seed);
        var evaluation = test.With(new AugmentationOptions { Mean = options.Augmentation.Mean, Std = options.Augmentation.Std }, options.Seed);
        var decodeThreads = DecodeThreads(options);
        var settings = new WorkerSettings(worker, options.Ps, train.Count, options.Batch, options.Microbatches, options.Seed, totalSteps, options.Loss)
        {
            Devices = options.DevicesPerWorker,
            Memory = memory ?? PrivateMemory.Instance,
        };
        return WorkerActor.Props(
            settings,
            peers,
            device => engines.Create(worker.Index * options.DevicesPerWorker + device),
            () => new LeafPrefetcher(training, options.Seed, options.Batch / options.Microbatches, worker.ToString(), Limits.PrefetchedLeaves + options.DevicesPerWorker - 1, decodeThreads),
            () => test.Count == 0 ? null : new EvaluationBatches(evaluation, samples: options.EvalSamples, threads: Math.Max(1, decodeThreads / options.DevicesPerWorker)));
    }

    /// <summary>Threads that one worker's images are decoded on.</summary>
    internal static int DecodeThreads(RunOptions options) =>
        (int)Math.Clamp(options.DecodeThreads ?? Environment.ProcessorCount / options.Workers, 1, Limits.MaxDecodeThreads);

    public static IActorRef Spawn(ActorSystem system, Props props, string name) => system.ActorOf(props.WithDispatcher(ActorConfiguration.Dispatcher), name);
}
