using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Actor.Setup;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership.Gossip;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Cluster.Membership.Tests;

/// <summary>
/// The Akka engine, each process a system of actors of its own, on real sockets. A crash is a system that ends without a word; a
/// pause is a network that holds everything back, both ways. Two witnesses vote and do nothing else, so that a cluster of one
/// coordinator survives its death.
/// </summary>
internal sealed class AkkaWorld : IMembershipWorld
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Quick, and yet patient with two cores that run seven systems; paused nodes are not yet declared dead when they wake up.</summary>
    public static readonly EngineTimes Times = new()
    {
        Heartbeat = TimeSpan.FromMilliseconds(200),
        Pause = TimeSpan.FromSeconds(2),
        Round = TimeSpan.FromMilliseconds(100),
        Stable = TimeSpan.FromSeconds(6),
        RemovalMargin = TimeSpan.FromMilliseconds(100),
        Call = TimeSpan.FromMilliseconds(200),
        FirstSeed = TimeSpan.FromMilliseconds(500),
    };

    private static readonly LinkAddress AnyPort = LinkAddress.Parse("127.0.0.1:0");

    private readonly HeldNetwork _network = new();
    private readonly ConcurrentQueue<string> _said = new();
    private readonly List<ActorSystem> _witnesses = [];
    private readonly List<Node> _nodes = [];
    private readonly List<LinkAddress> _seeds = [];
    private LinkAddress _coordinatorListens = AnyPort;
    private IMembershipEngine? _engine;
    private ViewRecorder? _coordinator;
    private long _incarnations;
    private long _term;

    public AkkaWorld()
    {
        for (var i = 0; i < 2; i++) Witness();
    }

    public ViewRecorder Coordinator => _coordinator ?? throw new InvalidOperationException("no coordinator yet");

    public IReadOnlyCollection<string> Said => _said;

    /// <summary>The engine of the coordinator that runs.</summary>
    public IMembershipEngine Engine => _engine!;

    public CoordinatorSeat? Seat { get; private set; }

    /// <summary>Others join while one is held off, and a process needs a second or two for that.</summary>
    public MembershipPolicy Policy { get; } = MembershipPolicy.Default with { FirstHoldOff = TimeSpan.FromSeconds(10), Window = TimeSpan.FromMinutes(5) };

    public async Task StartCoordinatorAsync()
    {
        _engine = JoinCoordinator(_coordinatorListens);
        _coordinatorListens = _engine.Listens;
        Seat = await _engine.Seat.WaitAsync(Patience);
        _coordinator = new ViewRecorder(Seat.Register);
    }

    /// <summary>Starts the coordinator, which <see cref="HoldAsync"/> can cut off.</summary>
    /// <returns>What to hold.</returns>
    public async Task<object> StartHeldCoordinatorAsync()
    {
        await StartCoordinatorAsync();
        _network.Names(_engine!.Listens, "coordinator");
        return "coordinator";
    }

    public static IMembershipEngine EngineOf(IMembershipNode node) => ((Node)node).Engine;

    public Task HoldAsync(object who) => _network.HoldAsync(who, isHeld: true);

    /// <summary>One more process of role coordinator.</summary>
    /// <param name="refuses">Why its register cannot be opened; null = it can.</param>
    public IMembershipEngine JoinCoordinator(LinkAddress? listens = null, string address = "host:1", string? refuses = null)
    {
        var known = _nodes.Select(static node => node.Name).OfType<string>().ToList();
        return MembershipEngines.JoinAkka(Options(MemberRole.Coordinator, null, listens ?? AnyPort, listens is null ? address : "coordinator") with
        {
            Address = address,
            OpenRegister = () => refuses is not null ? throw new IOException(refuses) : new MemberRegistry(
                new Term(Interlocked.Increment(ref _term)), address, Interlocked.Increment(ref _incarnations), known, Policy, TimeProvider.System, (_, sentence) => _said.Enqueue(sentence)),
        });
    }

    public Task CrashCoordinatorAsync()
    {
        _engine!.Dispose();
        return Task.CompletedTask;
    }

    public Task<IMembershipNode> StartAsync(MemberRole role, string? name = null) => StartAsync(role, name, AnyPort);

    /// <summary>A process that listens where the caller says: there may have been another one before.</summary>
    public Task<IMembershipNode> StartAsync(MemberRole role, string? name, LinkAddress listens)
    {
        var node = new Node();
        var options = Options(role, name, listens, node) with { Refused = refusal => node.Told.TrySetResult(refusal) };
        node.Start(MembershipEngines.JoinAkka(options), options.Incarnation);
        _network.Names(node.Engine.Listens, node);
        _nodes.Add(node);
        return Task.FromResult<IMembershipNode>(node);
    }

    public Task CrashAsync(IMembershipNode node)
    {
        ((Node)node).Engine.Dispose();
        return Task.CompletedTask;
    }

    public Task PauseAsync(IMembershipNode node) => _network.HoldAsync(node, isHeld: true);

    public Task ResumeAsync(IMembershipNode node) => _network.HoldAsync(node, isHeld: false);

    public Task LeaveAsync(IMembershipNode node)
    {
        ((Node)node).Engine.Leave();
        return Task.CompletedTask;
    }

    public Task EndAsync(IMembershipNode node) => ((Node)node).Engine.EndAsync();

    /// <summary>Time passes by itself here; what comes of it is awaited on views.</summary>
    public Task PassAsync(TimeSpan time) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _network.ReleaseAsync();
        foreach (var node in _nodes) node.Engine.Dispose();
        _engine?.Dispose();
        foreach (var witness in _witnesses)
        {
            await witness.Terminate();
            witness.Dispose();
        }
        _network.Dispose();
    }

    private EngineOptions Options(MemberRole role, string? name, LinkAddress listens, object self) =>
        new(role, name, Interlocked.Increment(ref _incarnations), $"node:{_incarnations}", listens, [.. _seeds]) { Times = Times, Way = target => _network.Way(self, target) };

    /// <summary>Votes for a side, is dialled first by all, and has no part in the run.</summary>
    private void Witness()
    {
        var options = new EngineOptions(MemberRole.ParameterServer, null, 1, "", AnyPort, []) { Times = Times };
        var transport = new LinkTransportSetup(options);
        var system = ActorSystem.Create(EngineConfiguration.SystemName, ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(EngineConfiguration.Create(options)), transport));
        _witnesses.Add(system);
        _seeds.Add(transport.Listens);
        _network.Names(transport.Listens, system);
        AkkaCluster.Get(system).JoinSeedNodes(_seeds.Select(static seed => new Address("akka.link", EngineConfiguration.SystemName, seed.Name, seed.Port)));
    }

    private sealed class Node : IMembershipNode
    {
        public IMembershipEngine Engine { get; private set; } = null!;

        public TaskCompletionSource<MemberRefusal> Told { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string? Name => Engine.Name;

        public long Incarnation { get; private set; }

        public ViewRecorder Views { get; private set; } = null!;

        public Task<MemberRefusal> Refused => Told.Task;

        public void Start(IMembershipEngine engine, long incarnation)
        {
            (Engine, Incarnation) = (engine, incarnation);
            Views = new ViewRecorder(engine);
        }
    }
}

/// <summary>The contract over the Akka engine.</summary>
[Trait("Clock", "wall")]
public sealed class AkkaMembershipSpecs : MembershipContract
{
    protected override IMembershipWorld CreateWorld() => new AkkaWorld();
}
