using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Hosting.Monitoring;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Checkpoints;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor.Health;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>The process that decides: opens the run's folder, lets nodes in, carries the run to its end.</summary>
internal static class CoordinatorNode
{
    /// <summary>How long shards that are missing are waited for when others are here: a restart with all its back-off.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>How long the last words may take to reach everybody.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    /// <param name="run">Validated; its folder holds config.yaml, and whatever earlier processes left.</param>
    /// <param name="material">Opened for this run; stays the caller's.</param>
    /// <exception cref="UserMistakeException">Options or addresses that cannot work, or data that is not the run's.</exception>
    /// <exception cref="ClusterException">The run failed.</exception>
    public static async Task<TrainingSummary> RunAsync(
        ResolvedRun run, RunFolder folder, NodeOptions node, RunMaterial material, ITrainingObserver observer, CancellationToken stop)
    {
        var options = run.Options;
        var (train, test, engines) = (material.Train, material.Test, material.Engines);
        using var telemetry = TelemetryExport.Start(run.RunId, options.TraceEvery, observer.Said);
        var layout = engines.Layout;
        var stepsPerEpoch = StepPlan.StepsPerEpoch(train.Count, options.Batch);
        var total = options.Steps ?? LearningRateSchedule.RecipeSteps(options, train.Count);
        LocalTraining.CheckWorld(run, train, engines);
        folder.WriteConfig(LocalTraining.Facts(run, train, test, engines, total));

        var opening = File.Exists(RunStore.LogOf(folder.Location)) ? RunOpening.TakeOver(folder, layout, total, observer) : RunOpening.New;
        if (opening.Finished is { } finished) return LocalTraining.FinishedBefore(finished, layout, opening.Early, total, train.Count, stepsPerEpoch, options.Batch, observer);
        var replicas = (int)(options.Replicas ?? (options.Ps > 1 ? 1 : 0));
        var plan = LocalTraining.PlanOf(run, train, test, layout, total) with
        {
            CounterBase = opening.CounterBase,
            EndsWithLastWorker = false,
            Terms = new TermRules(options.Ps, replicas, Grace.TotalMilliseconds),
        };
        var description = LocalTraining.Description(options, plan, layout, train, opening.Version);
        observer.Starting(run, description);
        using var disk = new RunStore(folder.Location, new StoredCheckpoints(folder.Location, layout));
        var gate = FaultGate.FromEnvironment();
        var faults = NodeFaults.FromEnvironment(NodeOptions.Coordinator, (fault, sentence) =>
        {
            Console.Error.WriteLine(sentence);
            folder.Events.Append("fault", sentence, fault.Node);
        });
        var fullness = new DiskFault(faults);
        using var store = new GatedStore(disk, gate, fullness, sentence => Restored(folder, observer, sentence));
        var writer = plan.Checkpoints.IsOn
            ? new CheckpointKeeper(CheckpointStore.OpenForWriting(folder.Location, fullness.Over(DiskFiles.Instance)), layout, disk, run, plan, engines.Fingerprint, opening.CounterBase)
            : null;
        using var metrics = MetricsCsv.Open(Path.Combine(folder.Location, MetricsCsv.Name), opening.Logged, observer.Said);
        await using var monitoring = await RunMonitoring.OpenAsync(new MonitoringContext(run, folder, plan, layout, opening.Logged, description, observer.Said) { Test = test });
        using var pauses = new PauseWatch(TimeProvider.System, sentence =>
        {
            folder.Events.Append("coordinator-paused", sentence, NodeOptions.Coordinator);
            observer.Said(sentence);
        });
        using var buffers = new BufferPools();
        var system = ActorSystem.Create("cluster", ActorConfiguration.Create());
        NodeRegistry? registry = null;
        var listener = new RunListener(plan, folder, observer, metrics)
        {
            Data = new DataBoundWatch(options, Environment.ProcessorCount),
            Monitoring = monitoring,
            OnBegun = step => registry!.Notice(step, isRecorded: false),
            OnCommitted = step =>
            {
                registry!.Notice(step, isRecorded: true);
                node.Service?.Doing($"step {step} of {total} is committed");
            },
            OnStuck = (worker, reason) => registry!.Restart(worker.ToString(), reason),
        };
        var facts = new RunFacts(run.RunId, options, train.Fingerprint, layout, total, folder.Location, engines.Fingerprint) { TrainingSamples = train.Count };
        using var members = new MemberRegistry(
            disk.ReadTerm().Next(), node.Listen!.ToString(), node.Incarnation, [], MembershipPolicy.Default, TimeProvider.System,
            (name, sentence) => folder.Events.Append("membership", sentence, name));
        registry = new NodeRegistry(
            system, buffers, facts, gate, members, disk.ReadTerm, listener.Said,
            happened => folder.Events.Append(happened.Kind, happened.Sentence, happened.Node, time: happened.UnixMilliseconds > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(happened.UnixMilliseconds) : null),
            WorkerNode.RangesOf(ShardPlan.Deal(layout, options.Ps), layout), TimeProvider.System)
        {
            Watched = monitoring.Heard,
        };
        try
        {
            var snapshots = RunComposition.Spawn(system, SnapshotActor.Props(writer, layout, plan.CounterBase, TimeProvider.System, monitoring.Look), "snapshots");
            var coordinator = RunComposition.Spawn(system, CoordinatorActor.Props(plan, store, listener, snapshots, TimeProvider.System), "coordinator");
            registry.Bind(coordinator, snapshots);
            using var asked = CheckpointSignal.Listen(() => coordinator.Tell(new CoordinatorActor.CheckpointNow("SIGUSR1")));
            using var door = registry.Open(node);
            using var second = node.AlsoListen is { } also ? registry.Open(node with { Listen = also }) : null;
            observer.Said($"listening at {door.Address}");
            // In the run = it lets nodes in: those that wait for this service are the workers.
            if (monitoring.Health is { } health) node.Service?.Watch(health, static () => true);
            monitoring.Watch(() => coordinator.Ask<ActorIdentity>(new Identify(null), Turns.Patience));
            await using var stopping = stop.Register(() =>
            {
                monitoring.Leaving("it was asked to stop");
                coordinator.Tell(new StopRun("interrupted"));
            });
            try
            {
                await listener.Completion.WaitAsync(node.SeatLost);
            }
            catch (OperationCanceledException e) when (node.SeatLost.IsCancellationRequested)
            {
                registry.LetGo(EngineNode.SeatIsLost);
                throw new RunFailedException(EngineNode.SeatIsLost, e) { IsSuperseded = true };
            }
            catch (RunFailedException e) when (e.IsSuperseded)
            {
                registry.LetGo(e.Message);
                throw;
            }
            catch (ClusterException e)
            {
                await registry.EndAsync(isFailure: true, e.Message, Farewell);
                throw;
            }
            await registry.EndAsync(listener.Interrupted, listener.Interrupted ? "the run was interrupted" : "the run is done", Farewell);
            disk.Flush();
            return listener.Interrupted ? throw new RunStoppedException(listener.Summary()) : LocalTraining.ResultOf(listener, folder, layout);
        }
        finally
        {
            await system.Terminate();
            system.Dispose();
        }
    }

    private static void Restored(RunFolder folder, ITrainingObserver observer, string sentence)
    {
        folder.Events.Append("restored", sentence, NodeOptions.Coordinator);
        observer.Said(sentence);
    }
}
