using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>What a run is, for nodes that want to take part.</summary>
/// <param name="NumericFingerprint">That every worker must have; null = that of the first one.</param>
internal sealed record RunFacts(
    string RunId, RunOptions Options, string DataFingerprint, ParameterLayout Layout, long TotalSteps, string Folder, string? NumericFingerprint)
{
    /// <summary>Of the training set.</summary>
    public int TrainingSamples { get; init; }
}

/// <summary>
/// The coordinator's door. <see cref="MemberRegistry"/> (the Static membership engine) says who has which name; this
/// carries its words over links, checks that a node's data, model and arithmetic are the run's, and tells the
/// coordinator who is here. Any thread.
/// </summary>
/// <param name="termNow">The term that an empty shard must not obey.</param>
/// <param name="say">For a person and events.jsonl: kind, node, sentence.</param>
/// <param name="note">What the supervisor and nodes tell, for events.jsonl alone.</param>
/// <param name="time">For the bound on what is said about strangers.</param>
internal sealed partial class NodeRegistry(
    ActorSystem system, BufferPools buffers, RunFacts facts, FaultGate gate, MemberRegistry members, Func<Term> termNow,
    Action<string, string, string> say, Action<ProcessEvent> note, Func<int, RangeOnWire> ranges, TimeProvider time)
{
    /// <summary>One link to a node, as the membership engine and the coordinator see it.</summary>
    private sealed class Node(NodeRegistry door, LinkHello hello) : IMemberPeer
    {
        public LinkHello Hello { get; } = hello;
        public RemotePeer Peer { get; set; } = null!;
        public string Name { get; private set; } = hello.Name;
        public string Listens { get; set; } = "";
        public string Host { get; set; } = "";
        public bool IsReady { get; set; }
        public bool IsLeaving { get; set; }

        /// <summary>What it has told of itself; the link's thread.</summary>
        public RefusalTally News { get; set; } = RefusalTally.Empty;

        public void Welcome(MemberWelcome welcome)
        {
            Name = welcome.Name;
            door.Welcome(this, welcome);
        }

        public void Refuse(MemberRefusal refusal)
        {
            // A process whose link was cut is back before its old link has ended: nobody is in its way but itself.
            if (!(refusal.TryAgain && door.HasOlderLink(this))) door.Refused(Name, refusal.Sentence);
            Peer.Send(refusal);
            // A process that asks again within a second keeps its link; one that has lost its place is sent away.
            if (!refusal.TryAgain) Peer.Link?.Close(LinkEnd.Dismissed, refusal.Sentence);
        }

        public void Show(MembershipView view) => Peer.Send(view);
    }

    /// <summary>Told what nodes say of themselves for those who watch: name of the node, message. Returns at once.</summary>
    public Action<string, object>? Watched { get; init; }

    private readonly Lock _lock = new();
    private readonly Dictionary<RemotePeer, Node> _nodes = [];
    private string? _fingerprint = facts.NumericFingerprint;
    private IActorRef _coordinator = ActorRefs.Nobody, _snapshots = ActorRefs.Nobody;
    private readonly TaskCompletionSource _allGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RunOver? _over;
    private StepNotice? _notice;

    /// <summary>Before the listener opens.</summary>
    public void Bind(IActorRef coordinator, IActorRef snapshots) => (_coordinator, _snapshots) = (coordinator, snapshots);

    private Node? NodeOf(RemotePeer peer)
    {
        lock (_lock) return _nodes.GetValueOrDefault(peer);
    }

    /// <summary>Whether the very process is here over another link.</summary>
    private bool HasOlderLink(Node node)
    {
        lock (_lock) return _nodes.Values.Any(n => n != node && n.Name == node.Name && n.Hello.Incarnation == node.Hello.Incarnation);
    }

    private IActorRef? Route(RemotePeer peer, object message, int target)
    {
        switch (message)
        {
            case MemberHello hello when NodeOf(peer) is { } node:
                if (NoPlace(hello.Role, hello.Name) is { } sentence) SendAway(node, sentence);
                else members.Hello(node, hello);
                return null;
            case NodeReady ready:
                Ready(peer, ready);
                return null;
            case NodeLeaving leaving when NodeOf(peer) is { } node:
                node.IsLeaving = true;
                members.Leaving(node);
                Gone(node, leaving.Reason);
                return null;
            case FaultsStruck struck:
                gate.Struck(struck.Step);
                return null;
            case ProcessEvent happened:
                Note(peer, happened);
                return null;
            case SpanBatch or NodeReport when NodeOf(peer) is { } node:
                Watched?.Invoke(node.Name, message);
                return null;
            case ShardSnapshot:
                return _snapshots;
            case IStepInput or InitialState or BatchEvaluated or WorkerReady or WorkerFailed:
                return _coordinator;
            default:
                return null;
        }
    }

    /// <summary>The node has loaded what it needs; it takes part if that is what the run has.</summary>
    private void Ready(RemotePeer peer, NodeReady ready)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(peer, out var node)) return;
            if (Mistake(node, ready) is { } mistake)
            {
                SendAway(node, mistake);
                return;
            }
            node.IsReady = true;
            if (node.Hello.Role == NodeOptions.Worker)
            {
                _coordinator.Tell(new CoordinatorActor.WorkerAt(WorkerOf(node), peer.Ref()));
                return;
            }
            TellShardNodes();
            _coordinator.Tell(new CoordinatorActor.NodeAt(NodeIdOf(node), [.. Enumerable.Range(0, facts.Options.Ps).Select(peer.Ref)], HostOf(node)));
        }
    }

    private void Closed(RemotePeer peer, LinkClosure closure)
    {
        Node? node;
        lock (_lock)
        {
            if (!_nodes.Remove(peer, out node)) return;
            if (_over is not null)
            {
                // At the end all go, and that is no news.
                if (_nodes.Count == 0) _allGone.TrySetResult();
                return;
            }
        }
        if (node.Hello.Role == NodeOptions.Supervisor) return;
        var cause = closure switch
        {
            { End: LinkEnd.Lost } => "its process is gone or its network was cut (the connection was closed)",
            { End: LinkEnd.Silent, ByPeer: true } => "it heard nothing of the coordinator for 500 ms (the network is cut in one direction, or the coordinator stood still)",
            { End: LinkEnd.Silent } => "nothing was heard of it for 500 ms (stopped, or the network is cut)",
            { End: LinkEnd.BadChecksum or LinkEnd.BadMagic or LinkEnd.BadVersion or LinkEnd.Oversize, ByPeer: true } => $"a damaged frame reached it ({closure.Sentence})",
            { End: LinkEnd.BadChecksum or LinkEnd.BadMagic or LinkEnd.BadVersion or LinkEnd.Oversize } => $"a damaged frame came ({closure.Sentence})",
            _ => closure.Sentence,
        };
        members.Disconnected(node, cause);
        Gone(node, cause);
    }

    private void Gone(Node node, string cause)
    {
        lock (_lock)
        {
            if (!node.IsReady) return;
            node.IsReady = false;
            if (node.Hello.Role == NodeOptions.Worker)
            {
                _coordinator.Tell(new CoordinatorActor.WorkerGone(WorkerOf(node), cause, node.IsLeaving));
                return;
            }
            _coordinator.Tell(new CoordinatorActor.NodeGone(NodeIdOf(node), cause));
            TellShardNodes();
        }
    }

    private ShardNodes ShardNodes() => new([.. _nodes.Values.Where(static n => n is { Hello.Role: NodeOptions.Shards, IsReady: true }).Select(n => new ShardNode(NodeIdOf(n), n.Listens))]);

    private void TellShardNodes()
    {
        var message = ShardNodes();
        foreach (var node in _nodes.Values)
            if (node.Hello.Role == NodeOptions.Worker || node is { Hello.Role: NodeOptions.Shards, IsReady: true }) node.Peer.Send(message);
    }

    /// <summary>Its machine, for the placement of standbys; processes that only this machine reaches share it, and need not be told so.</summary>
    private static string HostOf(Node node)
    {
        try
        {
            return LinkAddress.Parse(node.Listens) is { Kind: LinkTransportKind.Tcp } at && !Launch.Hosts.ThisMachine.IsLoopback(at.Name) ? node.Host : "";
        }
        catch (UserMistakeException)
        {
            // Whoever dials it will find out.
            return "";
        }
    }

    private static WorkerId WorkerOf(Node node) => new(MemberNames.IndexIn(node.Name, MemberRole.Worker)!.Value);

    /// <summary>The process's own start counts, not the connection's: what it holds outlives a lost link.</summary>
    private static NodeId NodeIdOf(Node node) => new(MemberNames.IndexIn(node.Name, MemberRole.ParameterServer)!.Value, node.Hello.Incarnation);

    /// <summary>Tells the supervisor of a step, now or when it comes; nobody listens in a run that was not launched.</summary>
    public void Notice(StepId step, bool isRecorded)
    {
        lock (_lock)
        {
            _notice = new StepNotice(step, isRecorded);
            foreach (var node in _nodes.Values)
                if (node.Hello.Role == NodeOptions.Supervisor) node.Peer.Send(_notice);
        }
    }

    /// <summary>Asks whoever started this node to kill it and start it again; where nobody supervises, nothing happens.</summary>
    public void Restart(string name, string reason)
    {
        lock (_lock)
        {
            foreach (var node in _nodes.Values)
                if (node.Hello.Role == NodeOptions.Supervisor) node.Peer.Send(new RestartNode(name, reason));
        }
    }

    /// <summary>A record may wait for a fault of the step that is open: the supervisor must not miss it.</summary>
    private void Opened(RemotePeer peer)
    {
        lock (_lock)
            if (_notice is { } notice && _nodes.TryGetValue(peer, out var node) && node.Hello.Role == NodeOptions.Supervisor) peer.Send(notice);
    }

    /// <summary>Another coordinator carries the run: everybody is let go, and dials that one. Not the end of the run.</summary>
    public void LetGo(string reason)
    {
        lock (_lock)
            foreach (var node in _nodes.Values) node.Peer.Link?.Close(LinkEnd.Finished, reason);
    }

    /// <summary>The run is over: everybody is told and let go; who comes later hears the same. Ends when all have heard it, or when patience does.</summary>
    public async Task EndAsync(bool isFailure, string reason, TimeSpan patience)
    {
        TellUntold();
        lock (_lock)
        {
            _over = new RunOver(isFailure, reason);
            if (_nodes.Count == 0) _allGone.TrySetResult();
            foreach (var node in _nodes.Values)
            {
                node.Peer.Send(_over);
                node.Peer.Link?.Close(LinkEnd.Finished, reason);
            }
        }
        await Task.WhenAny(_allGone.Task, Task.Delay(patience, time));
    }
}
