using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Link;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>What a run is, for nodes that want to take part.</summary>
/// <param name="NumericFingerprint">That every worker must have; null = that of the first one.</param>
internal sealed record RunFacts(
    string RunId, RunOptions Options, string DataFingerprint, ParameterLayout Layout, long TotalSteps, string Folder, string? NumericFingerprint);

/// <summary>
/// The coordinator's door: lets nodes in or says why not, checks that their data, model and arithmetic are the run's,
/// and tells the coordinator who is here. Any thread.
/// </summary>
/// <param name="termNow">The term that an empty shard must not obey.</param>
/// <param name="say">For events.jsonl: kind, node, sentence.</param>
internal sealed class NodeRegistry(
    ActorSystem system, BufferPools buffers, RunFacts facts, FaultGate gate, Func<Term> termNow, Action<string, string, string> say, Func<int, RangeOnWire> ranges)
{
    private sealed record Member(string Name, string Role, long Incarnation, string Listens, RemotePeer Peer)
    {
        public bool IsReady { get; set; }
        public bool IsLeaving { get; set; }
    }

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    private string? _fingerprint = facts.NumericFingerprint;
    private string _numerics = "";
    private IActorRef _coordinator = ActorRefs.Nobody, _snapshots = ActorRefs.Nobody;
    private RunOver? _over;

    /// <summary>The fingerprint of the run, once a worker has shown its own.</summary>
    public Action<string, string>? OnFingerprint { get; init; }

    /// <summary>Before the listener opens.</summary>
    public void Bind(IActorRef coordinator, IActorRef snapshots) => (_coordinator, _snapshots) = (coordinator, snapshots);

    /// <summary>The listener's callback.</summary>
    public LinkVerdict Admit(LinkHello hello)
    {
        var note = WireTypes.Read<JoinNote>(hello.Note);
        if (note.ProgramVersion != ProgramVersion.Text) return LinkVerdict.Refuse($"the run has version {ProgramVersion.Text} of this program and the node {note.ProgramVersion}: install the same on both");
        if (hello.Role is not (NodeOptions.Worker or NodeOptions.Shards or NodeOptions.Supervisor)) return LinkVerdict.Refuse($"there is no role '{hello.Role}': a node is a worker or ps");
        lock (_lock)
        {
            if (_over is not null) return LinkVerdict.Refuse("the run is over");
            var name = hello.Name.Length > 0 ? hello.Name : FreeName(hello.Role);
            if (hello.Role != NodeOptions.Supervisor && NodeNames.IndexOf(name, hello.Role) is < 0 or >= Limits.MaxWorkers) return LinkVerdict.Refuse($"'{name}' is no name of a {hello.Role}: they are called {hello.Role}-0, {hello.Role}-1, …");
            if (_members.TryGetValue(name, out var old) && old.Peer.IsOpen && old.Incarnation > hello.Incarnation) return LinkVerdict.Refuse($"{name} is here already, in a process that was started later; give another --name");
            var peer = new RemotePeer(system, buffers, new PeerCallbacks(Route, Closed) { Opened = Opened }) { MaxFloats = facts.Layout.StateFloats, Ranges = ranges };
            // The newer process of a name is its restart: the older one is dead, or should be.
            old?.Peer.Link?.Close(LinkEnd.Dismissed, $"a newer process is {name} now");
            if (old is not null) Gone(old, "a newer process has taken its name");
            _members[name] = new Member(name, hello.Role, hello.Incarnation, note.Listens, peer);
            var welcome = new Welcome(facts.RunId, name, OptionTexts.Of(facts.Options), facts.DataFingerprint, facts.Layout.Hash, facts.TotalSteps, termNow(), facts.Folder);
            return LinkVerdict.Accept(peer, WireTypes.Write(welcome));
        }
    }

    private string FreeName(string role)
    {
        if (role == NodeOptions.Supervisor) return role;
        for (var i = 0; ; i++)
            if (!_members.TryGetValue($"{role}-{i}", out var member) || !member.Peer.IsOpen) return $"{role}-{i}";
    }

    private Member? MemberOf(RemotePeer peer) => _members.Values.FirstOrDefault(m => ReferenceEquals(m.Peer, peer));

    private void Opened(RemotePeer peer)
    {
        lock (_lock)
        {
            if (MemberOf(peer) is not { } member) return;
            if (member.Role == NodeOptions.Shards) peer.Send(RunLayout.Of(facts.Layout));
            if (member.Role == NodeOptions.Worker) peer.Send(Nodes());
        }
    }

    private IActorRef? Route(RemotePeer peer, object message, int target)
    {
        switch (message)
        {
            case NodeReady ready:
                Ready(peer, ready);
                return null;
            case NodeLeaving leaving:
                Leave(peer, leaving);
                return null;
            case FaultsStruck struck:
                gate.Struck(struck.Step);
                return null;
            case ProcessEvent happened:
                say(happened.Kind, happened.Node, happened.Sentence);
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
            if (MemberOf(peer) is not { } member) return;
            if (Mistake(member, ready) is { } mistake)
            {
                say("node-refused", member.Name, $"{member.Name} is sent away: {mistake}");
                peer.Link?.Close(LinkEnd.Dismissed, mistake);
                return;
            }
            member.IsReady = true;
            if (member.Role == NodeOptions.Worker)
            {
                _coordinator.Tell(new CoordinatorActor.WorkerAt(WorkerOf(member), peer.Ref()));
                return;
            }
            Broadcast(Nodes(), m => m.Role is NodeOptions.Worker || m.IsReady);
            _coordinator.Tell(new CoordinatorActor.NodeAt(NodeOf(member), [.. Enumerable.Range(0, facts.Options.Ps).Select(peer.Ref)]));
        }
    }

    private string? Mistake(Member member, NodeReady ready)
    {
        if (ready.LayoutHash != facts.Layout.Hash) return $"its model has other parameters (layout {Short(ready.LayoutHash)}, the run's is {Short(facts.Layout.Hash)})";
        if (member.Role != NodeOptions.Worker) return null;
        if (ready.DataFingerprint != facts.DataFingerprint) return $"its data set is another one (fingerprint {Short(ready.DataFingerprint)}, the run's is {Short(facts.DataFingerprint)}): give it the same files with --data";
        if (_fingerprint is null)
        {
            (_fingerprint, _numerics) = (ready.NumericFingerprint, ready.Numerics);
            OnFingerprint?.Invoke(ready.NumericFingerprint, ready.Numerics);
        }
        return ready.NumericFingerprint == _fingerprint
            ? null
            : $"its arithmetic gives other bits (fingerprint {Short(ready.NumericFingerprint)} of {ready.Numerics}; the run's is {Short(_fingerprint)}{(_numerics.Length > 0 ? " of " + _numerics : "")}): libraries, threads and device must be the same";
    }

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    private void Leave(RemotePeer peer, NodeLeaving leaving)
    {
        lock (_lock)
        {
            if (MemberOf(peer) is not { } member) return;
            member.IsLeaving = true;
            Gone(member, leaving.Reason);
        }
    }

    private void Closed(RemotePeer peer, LinkClosure closure)
    {
        lock (_lock)
        {
            if (MemberOf(peer) is not { } member) return;       // replaced: its end has been said
            Gone(member, closure.End switch
            {
                LinkEnd.Lost => "its process is gone (the connection was closed)",
                LinkEnd.Silent => "nothing was heard of it for 500 ms (stopped, or the network is cut)",
                LinkEnd.BadChecksum => $"a damaged frame came ({closure.Sentence})",
                _ => closure.Sentence,
            });
            _members.Remove(member.Name);
        }
    }

    private void Gone(Member member, string cause)
    {
        if (!member.IsReady) return;
        member.IsReady = false;
        if (member.Role == NodeOptions.Worker)
        {
            _coordinator.Tell(new CoordinatorActor.WorkerGone(WorkerOf(member), cause, member.IsLeaving));
        }
        else if (member.Role == NodeOptions.Shards)
        {
            _coordinator.Tell(new CoordinatorActor.NodeGone(NodeOf(member), cause));
            Broadcast(Nodes(), m => m.Role is NodeOptions.Worker || m.IsReady);
        }
    }

    private ShardNodes Nodes() => new([.. _members.Values.Where(static m => m is { Role: NodeOptions.Shards, IsReady: true }).Select(m => new ShardNode(NodeOf(m), m.Listens))]);

    private static WorkerId WorkerOf(Member member) => new(NodeNames.IndexOf(member.Name, NodeOptions.Worker));

    private static NodeId NodeOf(Member member) => new(NodeNames.IndexOf(member.Name, NodeOptions.Shards), member.Incarnation);

    private void Broadcast(object message, Func<Member, bool> to)
    {
        foreach (var member in _members.Values.Where(m => m.Role != NodeOptions.Supervisor && to(m))) member.Peer.Send(message);
    }

    /// <summary>Tells the supervisor of a step; nobody listens in a run that was not launched.</summary>
    public void Notice(StepId step, bool isRecorded)
    {
        lock (_lock)
            if (_members.TryGetValue(NodeOptions.Supervisor, out var member)) member.Peer.Send(new StepNotice(step, isRecorded));
    }

    /// <summary>The run is over: everybody ends, and nobody is let in any more.</summary>
    public void End(bool isFailure, string reason)
    {
        lock (_lock)
        {
            _over = new RunOver(isFailure, reason);
            foreach (var member in _members.Values)
            {
                member.Peer.Send(_over);
                member.Peer.Link?.Close(LinkEnd.Finished, reason);
            }
        }
    }
}
