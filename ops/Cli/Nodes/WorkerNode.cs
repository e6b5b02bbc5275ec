using Akka.Actor;
using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Remoting;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Cli.Nodes;

/// <summary>A process that computes leaves. It starts with the coordinator's address alone; everything else it is told.</summary>
internal static class WorkerNode
{
    /// <summary>How long a push waits for a node that is being dialled.</summary>
    private static readonly TimeSpan DialPatience = TimeSpan.FromSeconds(2);

    /// <summary>How long the last words of a node that cannot take part may take to reach the coordinator.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    public const string AskedToStop = "it was asked to stop";

    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(30);

    /// <exception cref="UserMistakeException">Refused, or data and model are not those of the run.</exception>
    public static Task RunAsync(NodeOptions options, CancellationToken stop) => RunAsync(options, static (run, data) => new EngineFactory(run, data), stop);

    /// <param name="source">Builds the run's engines.</param>
    public static async Task RunAsync(NodeOptions options, Func<RunOptions, IDataset, IEngineSource> source, CancellationToken stop)
    {
        using var buffers = new BufferPools();
        var system = ActorSystem.Create("cluster", ActorConfiguration.Create());
        try
        {
            await RunAsync(options, source, system, buffers, stop);
        }
        finally
        {
            await system.Terminate();
            system.Dispose();
        }
    }

    private static async Task RunAsync(NodeOptions options, Func<RunOptions, IDataset, IEngineSource> source, ActorSystem system, BufferPools buffers, CancellationToken stop)
    {
        IActorRef? actor = null;
        ShardNodes known = new([]);
        ShardDirectory? directory = null;
        CoordinatorConnection? connection = null;
        var gate = new Lock();
        var news = new NodeNews(() => connection?.Name ?? options.Name, () => connection?.Peer);
        var faults = NodeFaults.FromEnvironment(options.Name, (_, sentence) => news.Happened("fault", sentence));
        options = NodeStart.Versioned(options, faults);
        FaultyEngines? faulty = null;
        IActorRef? Route(RemotePeer peer, object message, int target)
        {
            if (message is BeginStep { AuditLeaf: { } audited } begin) faulty?.Audited(begin.Step, audited);
            return message is IWorkerInput or InitializeState ? actor : null;
        }
        directory = new ShardDirectory(system, buffers, options, Route, _ => actor?.Tell(new WorkerActor.PeerUp()), news);
        using var disposable = directory;
        connection = new CoordinatorConnection(system, buffers, options, "", Route, news.MessageRefused, message =>
        {
            if (message is not ShardNodes nodes) return;
            lock (gate)
            {
                known = nodes;
                if (actor is not null) directory.Update(nodes, self: null);
            }
        });

        await using var leaving = stop.Register(() => options.Exposure?.Health.Leaving(AskedToStop));
        if (connection.Connect(stop) is not var (welcome, closed))
        {
            Console.Error.WriteLine(connection.OverSentence);
            return;
        }
        var run = OptionTexts.Read(welcome.Options);
        run = run with { Data = options.Data ?? run.Data, Device = options.Device ?? run.Device, DevicesPerWorker = options.Devices ?? run.DevicesPerWorker };
        using var start = new NodeStart(news, () =>
        {
            connection.Close("the node cannot take part");
            closed.Wait(Farewell);
        });
        var (train, test) = start.Open(run, faults);
        using var trainSet = train;
        using var testSet = test;
        using var telemetry = TelemetryExport.Start(welcome.RunId, run.TraceEvery);
        using var monitoring = NodeMonitoring.Start(welcome.RunId, welcome.Name, run, options, message => connection.Peer?.Send(message) ?? false, () => connection.Peer);
        var engines = start.Build(() => source(run, train));
        if (faults.Has(FaultyEngine.Kinds)) engines = faulty = new FaultyEngines(engines, faults);
        var ready = new NodeReady(train.Fingerprint, engines.Layout.Hash, engines.Fingerprint, engines.Numerics);
        var plan = ShardPlan.Deal(engines.Layout, run.Ps);
        directory.Know(welcome, engines.Layout, RangesOf(plan, engines.Layout));

        var worker = new WorkerId(MemberNames.IndexIn(welcome.Name, MemberRole.Worker)!.Value);
        var peers = new WorkerPeers(() => connection.Peer?.Ref(), directory.Find, replica => directory.Await(replica, DialPatience));
        lock (gate)
        {
            actor = RunComposition.Spawn(system, RunComposition.WorkerOf(worker, run, welcome.TotalSteps, engines, train, test, peers, options.Memory), worker.ToString());
            directory.Update(known, self: null);
        }
        var serving = Task.Factory.StartNew(() => connection.Serve(
            welcome, closed,
            connected: _ =>
            {
                connection.Peer?.Send(ready);
                options.Exposure?.Health.Joined();
                news.Flush();
                actor.Tell(new WorkerActor.Announce());
            },
            lost: closure =>
            {
                options.Exposure?.Health.Lost();
                news.Happened("link-lost", $"{welcome.Name} lost its link to the coordinator ({closure.Sentence}) and dials again.");
            },
            stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await serving;
        }
        finally
        {
            if (stop.IsCancellationRequested && !connection.Over.IsCompleted)
            {
                // Whoever sends work here must know before the leave begins; the one at the stop may come late.
                options.Exposure?.Health.Leaving(AskedToStop);
                await LeaveAsync(actor, connection);
            }
            monitoring.Dispose();      // its last words go over the link
            connection.Close("the worker ends");
        }
    }

    /// <summary>A planned leave: what was begun is finished and pushed, then the coordinator is told.</summary>
    private static async Task LeaveAsync(IActorRef actor, CoordinatorConnection connection)
    {
        try
        {
            await actor.Ask<WorkerActor.Drained>(new WorkerActor.Drain(), DrainPatience);
        }
        catch (AskTimeoutException)
        {
            // The leaf takes longer than anybody waits: it is leased to others.
        }
        connection.Peer?.Send(new NodeLeaving(AskedToStop));
    }

    public static Func<int, RangeOnWire> RangesOf(ShardPlan plan, ParameterLayout layout) => shard =>
    {
        var range = plan.Ranges[shard];
        return new RangeOnWire(range.Offset, range.Length, Math.Clamp(layout.BufferOffset - range.Offset, 0, range.Length));
    };
}
