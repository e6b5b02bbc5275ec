using System.Collections.Concurrent;
using Akka.Actor;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.ParameterServer;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>A process that holds parameter shards: a slot for each, most of them empty. It has neither data nor model.</summary>
internal static class ShardHost
{
    private static readonly TimeSpan LayoutPatience = TimeSpan.FromSeconds(30);

    /// <exception cref="UserMistakeException">Refused, or the address cannot be listened at.</exception>
    public static async Task RunAsync(NodeOptions options, CancellationToken stop)
    {
        using var buffers = new BufferPools();
        var system = ActorSystem.Create("cluster", ActorConfiguration.Create());
        try
        {
            await RunAsync(options, system, buffers, stop);
        }
        finally
        {
            await system.Terminate();
            system.Dispose();
        }
    }

    private static async Task RunAsync(NodeOptions options, ActorSystem system, BufferPools buffers, CancellationToken stop)
    {
        var layoutCame = new TaskCompletionSource<ParameterLayout>(TaskCreationOptions.RunContinuationsAsynchronously);
        var broken = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        var workers = new ConcurrentDictionary<WorkerId, RemotePeer>();
        IActorRef[] slots = [];
        var node = default(NodeId);
        var maxFloats = 0;
        Welcome? welcome = null;
        ShardNodes known = new([]);
        var gate = new Lock();
        CoordinatorConnection? connection = null;
        var news = new NodeNews(() => connection?.Name ?? options.Name, () => connection?.Peer);
        var faults = NodeFaults.FromEnvironment(options.Name, (_, sentence) => news.Happened("fault", sentence));
        options = NodeStart.Versioned(options, faults);
        void Ended(LinkHello hello, LinkClosure closure)
        {
            if (LinkDamage.Sentence(connection?.Name ?? options.Name, hello.Name, closure) is { } sentence) news.Happened(LinkDamage.Kind, sentence);
        }

        IActorRef? Route(RemotePeer peer, object message, int target) => message is IReplicaInput && target >= 0 && target < slots.Length ? slots[target] : null;

        // With a backlog ordered, messages go through an actor that keeps them back.
        IActorRef Late(IActorRef slot) => faults.Has(FaultKind.Backlog) ? RunComposition.Spawn(system, BacklogActor.Props(slot, faults), slot.Path.Name + "-late") : slot;

        LinkVerdict Admit(LinkHello hello)
        {
            if (welcome is null) return LinkVerdict.Refuse("this node has not joined a run yet");
            var note = WireTypes.Read<JoinNote>(hello.Note);
            if (note.ProgramVersion != ProgramVersion.Text) return LinkVerdict.Refuse($"this node runs version {ProgramVersion.Text}, the other {note.ProgramVersion}");
            if (hello.Role == NodeOptions.Worker && MemberNames.IndexIn(hello.Name, MemberRole.Worker) is { } index)
            {
                var worker = new WorkerId(index);
                return LinkVerdict.Accept(new RemotePeer(system, buffers, new PeerCallbacks(Route, (peer, closure) =>
                {
                    workers.TryRemove(new KeyValuePair<WorkerId, RemotePeer>(worker, peer));
                    Ended(hello, closure);
                })
                { Opened = peer => workers[worker] = peer, Refused = news.MessageRefused }, PeerRoles.Of(NodeOptions.Shards, NodeOptions.Worker))
                {
                    MaxFloats = maxFloats,
                });
            }
            return hello.Role == NodeOptions.Shards
                ? LinkVerdict.Accept(new RemotePeer(system, buffers, new PeerCallbacks(Route, (_, closure) => Ended(hello, closure)) { Refused = news.MessageRefused }, PeerRoles.Of(NodeOptions.Shards, NodeOptions.Shards)) { MaxFloats = maxFloats })
                : LinkVerdict.Refuse($"a {hello.Role} has no business with a node that holds shards");
        }

        using var directory = new ShardDirectory(system, buffers, options, Route, static _ => { }, news);
        ILinkListener? listener = null;
        connection = new CoordinatorConnection(system, buffers, options, options.Listen!.ToString(), Route, news.MessageRefused, message =>
        {
            if (message is RunLayout layout) layoutCame.TrySetResult(layout.ToLayout());
            if (message is not ShardNodes nodes) return;
            lock (gate)
            {
                known = nodes;
                if (slots.Length > 0) directory.Update(nodes, node);
            }
        });
        await using var leaving = stop.Register(() => options.Exposure?.Health.Leaving(WorkerNode.AskedToStop));
        if (connection.ConnectUntil(layoutCame.Task, "the layout of the run's parameters", LayoutPatience, stop) is not var (first, closed))
        {
            Console.Error.WriteLine(connection.OverSentence);
            return;
        }
        var run = OptionTexts.Read(first.Options);
        var layout = await layoutCame.Task;
        if (layout.Hash != first.LayoutHash) throw new ClusterException($"the layout that came has hash {layout.Hash}, the run's is {first.LayoutHash}");
        using var telemetry = TelemetryExport.Start(first.RunId, run.TraceEvery);
        using var monitoring = NodeMonitoring.Start(first.RunId, first.Name, run, options, message => connection.Peer?.Send(message) ?? false, () => connection.Peer);
        node = new NodeId(MemberNames.IndexIn(first.Name, MemberRole.ParameterServer)!.Value, options.Incarnation);
        maxFloats = layout.StateFloats;
        var plan = ShardPlan.Deal(layout, run.Ps);
        directory.Know(first, layout, WorkerNode.RangesOf(plan, layout));
        var shardPeers = new ShardPeers(
            () => [.. workers.Values.Where(static p => p.IsOpen).Select(static p => p.Ref())],
            worker => workers.TryGetValue(worker, out var peer) && peer.IsOpen ? peer.Ref() : null,
            directory.Find,
            e => broken.TrySetResult(e));
        lock (gate)
        {
            slots = [.. plan.Ranges.Select(range => Late(RunComposition.Spawn(
                system, ParameterShardActor.Props(new ReplicaId(range.Shard, node), FloorOf(first), new ShardSettings(range.Shard, layout, range, run.Optimizer) { Memory = options.Memory, TrainingSamples = first.TrainingSamples }, shardPeers), range.Shard.ToString())))];
            directory.Update(known, node);
        }
        welcome = first;
        listener = Links.Listen(options.Listen, new LinkListenerOptions
        {
            Self = options.Hello(first.RunId, options.Listen.ToString()) with { Name = first.Name },
            Secret = options.Secret,
            Admit = Admit,
            Insecure = options.Insecure,
            Tls = options.Tls,
        });
        using var listening = listener;
        var serving = Task.Factory.StartNew(() => connection.Serve(
            first, closed,
            connected: _ =>
            {
                if (connection.Peer is not { } coordinator) return;
                coordinator.MaxFloats = layout.StateFloats;
                coordinator.Send(new NodeReady("", layout.Hash, "", ""));
                options.Exposure?.Health.Joined();
                news.Flush();
            },
            lost: closure =>
            {
                options.Exposure?.Health.Lost();
                news.Happened("link-lost", $"{first.Name} lost its link to the coordinator ({closure.Sentence}) and dials again.");
            },
            stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            if (await Task.WhenAny(serving, broken.Task) == broken.Task) throw new ClusterException($"a parameter shard failed: {broken.Task.Result.Message}", broken.Task.Result);
            await serving;
        }
        finally
        {
            if (stop.IsCancellationRequested && !connection.Over.IsCompleted)
            {
                options.Exposure?.Health.Leaving(WorkerNode.AskedToStop);
                connection.Peer?.Send(new NodeLeaving(WorkerNode.AskedToStop));
            }
            monitoring.Dispose();      // its last words go over the link
            connection.Close("the node ends");
        }
    }

    /// <summary>An empty shard obeys nobody up to the highest term that it can learn of: what the coordinator says, or the run's folder where this machine has it.</summary>
    private static Term FloorOf(Welcome welcome)
    {
        var onDisk = Directory.Exists(welcome.Folder) ? RunStore.TermOf(welcome.Folder) : new Term(0);
        return onDisk > welcome.Term ? onDisk : welcome.Term;
    }
}
