using System.Collections.Concurrent;
using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Remoting;

namespace Cluster.Cli.Tests.Nodes;

/// <summary>A coordinator's door inside this process, and what it says and passes on.</summary>
internal sealed class Door : IDisposable
{
    public const string RunId = "run-1", Secret = "a secret";

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ILinkListener _listener;
    private readonly MemberRegistry _members;

    /// <param name="fingerprint">Of the run's arithmetic; null = that of the first worker.</param>
    public Door(string? fingerprint = null)
    {
        System = ActorSystem.Create("door", ActorConfiguration.Create());
        var options = new RunOptions { Ps = 2, Workers = 2 };
        var facts = new RunFacts(RunId, options, "data", Layout, TotalSteps: 10, Folder: "/nowhere", fingerprint);
        var node = new NodeOptions(NodeOptions.Coordinator, "", null, LinkAddress.Parse($"inproc:{Guid.NewGuid():N}"), Bytes(Secret));
        _members = new MemberRegistry(new Term(1), Address(node), node.Incarnation, [], MembershipPolicy.Default, TimeProvider.System, (name, sentence) => Said.Add(("membership", name, sentence)));
        Registry = new NodeRegistry(
            System, Buffers, facts, new FaultGate([]), _members, () => new Term(0), (kind, name, sentence) => Said.Add((kind, name, sentence)),
            happened => Said.Add((happened.Kind, happened.Node, happened.Sentence)), static _ => new RangeOnWire(0, 4, 4), TimeProvider.System);
        Registry.Bind(System.ActorOf(Props.Create(() => new Collector(Told))), ActorRefs.Nobody);
        _listener = Registry.Open(node);
    }

    public static ParameterLayout Layout { get; } = ParameterLayout.Of([("weight", [2, 2], StateKind.Parameter, true)]);

    public ActorSystem System { get; }

    public BufferPools Buffers { get; } = new();

    public NodeRegistry Registry { get; }

    /// <summary>Kind, node, sentence.</summary>
    public BlockingCollection<(string Kind, string Node, string Sentence)> Said { get; } = [];

    /// <summary>What the coordinator's actor was told.</summary>
    public BlockingCollection<object> Told { get; } = [];

    public static byte[] Bytes(string text) => global::System.Text.Encoding.UTF8.GetBytes(text);

    public Guest Dial(string role, string name = "", string secret = Secret, string runId = "", string? version = null, long incarnation = 1) =>
        new(this, _listener.Address, new LinkHello(runId, role, name, incarnation, WireTypes.Write(new JoinNote(version ?? ProgramVersion.Text, "inproc:guest", "here", 1))), secret);

    /// <summary>The next refusal that was said; what was said before it is passed.</summary>
    public (string Node, string Sentence) NextRefusal()
    {
        while (Said.TryTake(out var said, Patience))
            if (said.Kind == "node-refused") return (said.Node, said.Sentence);
        throw new TimeoutException("nobody was refused");
    }

    /// <summary>The next event of this kind that was said; what was said before it is passed.</summary>
    public (string Node, string Sentence) Next(string kind)
    {
        while (Said.TryTake(out var said, Patience))
            if (said.Kind == kind) return (said.Node, said.Sentence);
        throw new TimeoutException($"no {kind} was said");
    }

    public T NextTold<T>()
    {
        while (Told.TryTake(out var told, Patience))
            if (told is T wanted) return wanted;
        throw new TimeoutException($"the coordinator was told no {typeof(T).Name}");
    }

    public void Dispose()
    {
        _listener.Dispose();
        _members.Dispose();
        System.Terminate().Wait(Patience);
        System.Dispose();
        Buffers.Dispose();
    }

    private static string Address(NodeOptions node) => node.Listen!.ToString();

    private sealed class Collector : ReceiveActor
    {
        public Collector(BlockingCollection<object> told) => ReceiveAny(told.Add);
    }
}

/// <summary>Somebody who knocks.</summary>
internal sealed class Guest
{
    private readonly BlockingCollection<object> _heard = [];
    private readonly TaskCompletionSource<LinkClosure> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RemotePeer _peer;
    private readonly LinkHello _hello;

    /// <exception cref="LinkRefusedException">It is refused in the handshake.</exception>
    public Guest(Door door, LinkAddress address, LinkHello hello, string secret)
    {
        _hello = hello;
        _peer = new RemotePeer(door.System, door.Buffers, new PeerCallbacks(
            (_, message, _) =>
            {
                _heard.Add(message);
                return null;
            },
            (_, closure) => _closed.TrySetResult(closure)), new PeerRoles(NodeRoleNames.Parse(hello.Role), NodeRoles.Coordinator));
        _peer.Dial(address, new LinkDiallerOptions { Self = hello, Secret = Door.Bytes(secret) });
    }

    /// <summary>Asks for its name, or for any.</summary>
    /// <param name="incarnation">Of this connection; null = the process's.</param>
    public Guest Join(long? incarnation = null)
    {
        var role = _hello.Role == NodeOptions.Worker ? MemberRole.Worker : MemberRole.ParameterServer;
        _peer.Send(new MemberHello(_hello.Name.Length == 0 ? null : _hello.Name, role, incarnation ?? _hello.Incarnation, ""));
        return this;
    }

    public Guest Ready(string data = "data", string? layout = null, string numbers = "bits")
    {
        _peer.Send(new NodeReady(data, layout ?? Door.Layout.Hash, numbers, "AVX2, 1 thread"));
        return this;
    }

    /// <summary>Tells something for events.jsonl.</summary>
    public Guest Tell(string kind, string node, string sentence)
    {
        _peer.Send(new ProcessEvent(kind, node, sentence));
        return this;
    }

    /// <summary>Whatever it likes.</summary>
    public Guest Send(object message)
    {
        _peer.Send(message);
        return this;
    }

    public T Hear<T>()
    {
        while (_heard.TryTake(out var message, Door.Patience))
            if (message is T wanted) return wanted;
        throw new TimeoutException($"no {typeof(T).Name} came");
    }

    /// <summary>The sentence with which it was sent away.</summary>
    public string SentAway()
    {
        Assert.True(_closed.Task.Wait(Door.Patience), "the link stays open");
        Assert.Equal((LinkEnd.Dismissed, true), (_closed.Task.Result.End, _closed.Task.Result.ByPeer));
        return _closed.Task.Result.Sentence;
    }

    public bool IsClosed => _closed.Task.IsCompleted;
}
