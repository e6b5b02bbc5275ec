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
    string RunId, RunOptions Options, string DataFingerprint, ParameterLayout Layout, long TotalSteps, string Folder, string? NumericFingerprint);

/// <summary>
/// The coordinator's door. <see cref="MemberRegistry"/> (the Static membership engine) says who has which name; this
/// carries its words over links, checks that a node's data, model and arithmetic are the run's, and tells the
/// coordinator who is here. Any thread.
/// </summary>
/// <param name="termNow">The term that an empty shard must not obey.</param>
/// <param name="say">For a person and events.jsonl: kind, node, sentence.</param>
/// <param name="note">For events.jsonl alone.</param>
internal sealed class NodeRegistry(
    ActorSystem system, BufferPools buffers, RunFacts facts, FaultGate gate, MemberRegistry members, Func<Term> termNow,
    Action<string, string, string> say, Action<string, string, string> note, Func<int, RangeOnWire> ranges)
{
    /// <summary>One link to a node, as the membership engine and the coordinator see it.</summary>
    private sealed class Node(NodeRegistry door, LinkHello hello) : IMemberPeer
    {
        public LinkHello Hello { get; } = hello;
        public RemotePeer Peer { get; set; } = null!;
        public string Name { get; private set; } = hello.Name;
        public string Listens { get; set; } = "";
        public bool IsReady { get; set; }
        public bool IsLeaving { get; set; }

        public void Welcome(MemberWelcome welcome)
        {
            Name = welcome.Name;
            door.Welcome(this, welcome);
        }

        public void Refuse(MemberRefusal refusal)
        {
            Peer.Send(refusal);
            // A process that asks again within a second keeps its link; one that has lost its place is sent away.
            if (!refusal.TryAgain) Peer.Link?.Close(LinkEnd.Dismissed, refusal.Sentence);
        }

        public void Show(MembershipView view) => Peer.Send(view);
    }

    private readonly Lock _lock = new();
    private readonly Dictionary<RemotePeer, Node> _nodes = [];
    private string? _fingerprint = facts.NumericFingerprint;
    private IActorRef _coordinator = ActorRefs.Nobody, _snapshots = ActorRefs.Nobody;
    private RunOver? _over;

    /// <summary>Before the listener opens.</summary>
    public void Bind(IActorRef coordinator, IActorRef snapshots) => (_coordinator, _snapshots) = (coordinator, snapshots);

    /// <summary>The listener's callback: version and role; names are the membership engine's.</summary>
    public LinkVerdict Admit(LinkHello hello)
    {
        var join = WireTypes.Read<JoinNote>(hello.Note);
        if (join.ProgramVersion != ProgramVersion.Text) return LinkVerdict.Refuse($"the run has version {ProgramVersion.Text} of this program and the node {join.ProgramVersion}: install the same on both");
        if (hello.Role is not (NodeOptions.Worker or NodeOptions.Shards or NodeOptions.Supervisor)) return LinkVerdict.Refuse($"there is no role '{hello.Role}': a node is a worker or ps");
        lock (_lock)
        {
            if (_over is not null) return LinkVerdict.Refuse("the run is over");
            var node = new Node(this, hello) { Listens = join.Listens };
            node.Peer = new RemotePeer(system, buffers, new PeerCallbacks(Route, Closed)) { MaxFloats = facts.Layout.StateFloats, Ranges = ranges };
            _nodes[node.Peer] = node;
            return LinkVerdict.Accept(node.Peer);
        }
    }

    private Node? NodeOf(RemotePeer peer)
    {
        lock (_lock) return _nodes.GetValueOrDefault(peer);
    }

    /// <summary>The membership engine lets it in: everything that it needs to know.</summary>
    private void Welcome(Node node, MemberWelcome welcome)
    {
        node.Peer.Send(welcome);
        node.Peer.Send(new Welcome(facts.RunId, welcome.Name, OptionTexts.Of(facts.Options), facts.DataFingerprint, facts.Layout.Hash, facts.TotalSteps, termNow(), facts.Folder));
        if (node.Hello.Role == NodeOptions.Shards) node.Peer.Send(RunLayout.Of(facts.Layout));
        lock (_lock)
            if (node.Hello.Role == NodeOptions.Worker) node.Peer.Send(ShardNodes());
    }

    private IActorRef? Route(RemotePeer peer, object message, int target)
    {
        switch (message)
        {
            case MemberHello hello when NodeOf(peer) is { } node:
                members.Hello(node, hello);
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
                note(happened.Kind, happened.Node, happened.Sentence);
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
                say("node-refused", node.Name, $"{node.Name} is sent away: {mistake}.");
                peer.Link?.Close(LinkEnd.Dismissed, mistake);
                return;
            }
            node.IsReady = true;
            if (node.Hello.Role == NodeOptions.Worker)
            {
                _coordinator.Tell(new CoordinatorActor.WorkerAt(WorkerOf(node), peer.Ref()));
                return;
            }
            TellShardNodes();
            _coordinator.Tell(new CoordinatorActor.NodeAt(NodeIdOf(node), [.. Enumerable.Range(0, facts.Options.Ps).Select(peer.Ref)]));
        }
    }

    private string? Mistake(Node node, NodeReady ready)
    {
        if (ready.LayoutHash != facts.Layout.Hash) return $"its model has other parameters (layout {Short(ready.LayoutHash)}, the run's is {Short(facts.Layout.Hash)})";
        if (node.Hello.Role != NodeOptions.Worker) return null;
        if (ready.DataFingerprint != facts.DataFingerprint) return $"its data set is another one (fingerprint {Short(ready.DataFingerprint)}, the run's is {Short(facts.DataFingerprint)}): give it the same files with --data";
        _fingerprint ??= ready.NumericFingerprint;
        return ready.NumericFingerprint == _fingerprint
            ? null
            : $"its arithmetic gives other bits (fingerprint {Short(ready.NumericFingerprint)} of {ready.Numerics}; the run's is {Short(_fingerprint)}): libraries, threads and device must be the same";
    }

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    private void Closed(RemotePeer peer, LinkClosure closure)
    {
        Node? node;
        lock (_lock)
            if (!_nodes.Remove(peer, out node)) return;
        if (node.Hello.Role == NodeOptions.Supervisor) return;
        var cause = closure.End switch
        {
            LinkEnd.Lost => "its process is gone (the connection was closed)",
            LinkEnd.Silent => "nothing was heard of it for 500 ms (stopped, or the network is cut)",
            LinkEnd.BadChecksum => $"a damaged frame came ({closure.Sentence})",
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

    private static WorkerId WorkerOf(Node node) => new(MemberNames.IndexIn(node.Name, MemberRole.Worker)!.Value);

    /// <summary>The process's own start counts, not the connection's: what it holds outlives a lost link.</summary>
    private static NodeId NodeIdOf(Node node) => new(MemberNames.IndexIn(node.Name, MemberRole.ParameterServer)!.Value, node.Hello.Incarnation);

    /// <summary>Tells the supervisor of a step; nobody listens in a run that was not launched.</summary>
    public void Notice(StepId step, bool isRecorded)
    {
        lock (_lock)
            foreach (var node in _nodes.Values)
                if (node.Hello.Role == NodeOptions.Supervisor) node.Peer.Send(new StepNotice(step, isRecorded));
    }

    /// <summary>The run is over: everybody ends, and nobody is let in any more.</summary>
    public void End(bool isFailure, string reason)
    {
        lock (_lock)
        {
            _over = new RunOver(isFailure, reason);
            foreach (var node in _nodes.Values)
            {
                node.Peer.Send(_over);
                node.Peer.Link?.Close(LinkEnd.Finished, reason);
            }
        }
    }
}
