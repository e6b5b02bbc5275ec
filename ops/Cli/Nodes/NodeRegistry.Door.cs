using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

// Who is let in, and who is not, with the reason on both sides.
internal sealed partial class NodeRegistry
{
    /// <summary>Kind of the event.</summary>
    internal const string RefusedMessage = "message-refused";

    private readonly Lock _tallyLock = new();
    private readonly long _origin = time.GetTimestamp();
    private RefusalTally _tally = RefusalTally.Empty;

    /// <summary>Opens the coordinator's address.</summary>
    /// <exception cref="UserMistakeException">It is taken, not ours, or reachable by other machines without <see cref="NodeOptions.Insecure"/>.</exception>
    public ILinkListener Open(NodeOptions node) => Links.Listen(node.Listen!, new LinkListenerOptions
    {
        Self = new LinkHello(facts.RunId, NodeOptions.Coordinator, NodeOptions.Coordinator, node.Incarnation),
        Secret = node.Secret,
        Admit = Admit,
        Refused = refusal => Refused(refusal.Hello?.Name, refusal.Sentence),
        Insecure = node.Insecure,
        Tls = node.Tls,
    });

    /// <summary>The listener's callback: version and role; names are the membership engine's.</summary>
    private LinkVerdict Admit(LinkHello hello)
    {
        var join = WireTypes.Read<JoinNote>(hello.Note);
        if (join.ProgramVersion != ProgramVersion.Text) return LinkVerdict.Refuse($"the run has version {ProgramVersion.Text} of this program and the node {join.ProgramVersion}: install {ProgramVersion.Text} on the node");
        if (hello.Role is not (NodeOptions.Worker or NodeOptions.Shards or NodeOptions.Supervisor)) return LinkVerdict.Refuse($"there is no role '{hello.Role}': a node is a worker or ps");
        var roles = PeerRoles.Of(NodeOptions.Coordinator, hello.Role);
        lock (_lock)
        {
            if (_over is { } over) return LinkVerdict.Accept(TellOver(over, roles));
            var node = new Node(this, hello) { Listens = join.Listens, Host = join.Host };
            node.Peer = new RemotePeer(system, buffers, new PeerCallbacks(Route, Closed) { Opened = Opened, Refused = MessageRefused }, roles) { MaxFloats = facts.Layout.StateFloats, Ranges = ranges };
            _nodes[node.Peer] = node;
            return LinkVerdict.Accept(node.Peer);
        }
    }

    /// <summary>The membership engine lets it in: everything that it needs to know.</summary>
    private void Welcome(Node node, MemberWelcome welcome)
    {
        if (NoPlace(node.Hello.Role == NodeOptions.Shards ? MemberRole.ParameterServer : MemberRole.Worker, welcome.Name) is { } sentence)
        {
            SendAway(node, sentence);
            return;
        }
        node.Peer.Send(welcome);
        node.Peer.Send(new Welcome(facts.RunId, welcome.Name, OptionTexts.Of(facts.Options), facts.DataFingerprint, facts.Layout.Hash, facts.TotalSteps, termNow(), facts.Folder, facts.TrainingSamples));
        if (node.Hello.Role == NodeOptions.Shards) node.Peer.Send(RunLayout.Of(facts.Layout));
        lock (_lock)
            if (node.Hello.Role == NodeOptions.Worker) node.Peer.Send(ShardNodes());
    }

    private string? Mistake(Node node, NodeReady ready)
    {
        if (ready.LayoutHash != facts.Layout.Hash) return $"its model has other parameters (layout {Short(ready.LayoutHash)}, the run's is {Short(facts.Layout.Hash)})";
        if (node.Hello.Role != NodeOptions.Worker) return null;
        if (ready.DataFingerprint != facts.DataFingerprint) return $"its data set is another one (fingerprint {Short(ready.DataFingerprint)}, the run's is {Short(facts.DataFingerprint)}): give it the same files with --data, and of images the same skip list ('cluster data check' names it)";
        _fingerprint ??= ready.NumericFingerprint;
        return ready.NumericFingerprint == _fingerprint
            ? null
            : $"its arithmetic gives other bits (fingerprint {Short(ready.NumericFingerprint)} of {ready.Numerics}; the run's is {Short(_fingerprint)}): libraries, threads and device must be the same";
    }

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    /// <summary>One that comes too late hears of the end as those that were here, and ends in order: it made no mistake.</summary>
    private RemotePeer TellOver(RunOver over, PeerRoles roles) => new(system, buffers, new PeerCallbacks(static (_, _, _) => null, static (_, _) => { })
    {
        Opened = peer =>
        {
            peer.Send(over);
            peer.Link!.Close(LinkEnd.Finished, over.Reason);
        },
    }, roles);

    private string? NoPlace(MemberRole role, string? name) =>
        role == MemberRole.ParameterServer && name is not null && MemberNames.IndexIn(name, role) is { } index && index >= facts.Options.Ps
            ? $"{name} has no place: this run has {facts.Options.Ps} parameter {(facts.Options.Ps == 1 ? "shard, on ps-0" : $"shards, on ps-0 to ps-{facts.Options.Ps - 1}")}"
            : null;

    private void SendAway(Node node, string sentence)
    {
        Refused(node.Name, sentence);
        node.Peer.Link?.Close(LinkEnd.Dismissed, sentence);
    }

    /// <summary>For a person and events.jsonl, within bounds: whoever knocks often or in crowds is counted.</summary>
    /// <param name="name">What it calls itself, which may be anything; null or empty if it did not say.</param>
    private void Refused(string? name, string sentence)
    {
        var known = name is not null && (MemberNames.IndexIn(name, MemberRole.Worker) ?? MemberNames.IndexIn(name, MemberRole.ParameterServer)) is not null;
        var line = string.Concat(sentence.Select(static c => char.IsControl(c) ? ' ' : c));
        lock (_tallyLock)
        {
            (_tally, var isTold, var before) = _tally.Add($"{(known ? name : null)} {line}", time.GetElapsedTime(_origin));
            Tell(before);
            if (isTold) say("node-refused", known ? name! : "unknown", $"{(known ? name : "Somebody")} was not let in: {line}");
        }
    }

    /// <summary>A node that is in sent what its role may not send; its link ends. Told within the same bounds as refusals at the door.</summary>
    private void MessageRefused(RemotePeer peer, string sentence)
    {
        var name = NodeOf(peer)?.Name is { Length: > 0 } known ? known : "unknown";
        lock (_tallyLock)
        {
            (_tally, var isTold, var before) = _tally.Add(sentence, time.GetElapsedTime(_origin));
            Tell(before);
            if (isTold) say(RefusedMessage, name, $"{sentence}: its link is closed.");
        }
    }

    /// <summary>
    /// What a supervisor or a node tells for events.jsonl. A node speaks of itself alone, in words of a closed set, within bounds;
    /// its clock is believed for an hour back, which is longer than anything is kept for a coordinator that is away.
    /// </summary>
    private void Note(RemotePeer peer, ProcessEvent happened)
    {
        if (NodeOf(peer) is not { } node) return;
        var isSupervisor = node.Hello.Role == NodeOptions.Supervisor;
        if (!(isSupervisor ? EventKinds.OfSupervisors : EventKinds.OfNodes).Contains(happened.Kind)) return;
        if (isSupervisor)
        {
            note(happened);
            return;
        }
        var line = string.Concat(happened.Sentence.Take(Limits.MaxMemberText).Select(static c => char.IsControl(c) ? ' ' : c));
        (node.News, var isTold, var before) = node.News.Add(line, time.GetElapsedTime(_origin), Limits.ToldNodeNews);
        if (before > 0) note(new ProcessEvent(happened.Kind, node.Name, $"{before} more events of {node.Name} were not told."));
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var at = happened.UnixMilliseconds > now - 3_600_000 && happened.UnixMilliseconds <= now ? happened.UnixMilliseconds : now;
        if (isTold) note(new ProcessEvent(happened.Kind, node.Name, line, at));
    }

    private void TellUntold()
    {
        lock (_tallyLock)
        {
            Tell(_tally.Untold);
            _tally = RefusalTally.Empty;
        }
    }

    private void Tell(long untold)
    {
        if (untold > 0) say("node-refused", "unknown", $"{untold} more {(untold == 1 ? "was" : "were")} not let in.");
    }
}
