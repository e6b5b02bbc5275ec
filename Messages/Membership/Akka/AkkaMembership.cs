using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster.Tools.Singleton;
using Cluster.Contracts;
using Cluster.Link;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Cluster.Membership.Gossip;

/// <summary>
/// The Akka.Cluster engine of one process: a system of actors of its own that does nothing but membership. Who is alive, which
/// side of a split goes on, and which process is the coordinator is Akka's; names, views and refusals are
/// <see cref="MemberRegistry"/>'s and <see cref="StaticMember"/>'s, as in the Static engine.
/// </summary>
internal sealed class AkkaMembership : IMembershipEngine
{
    /// <summary>Longer than Akka waits for anything when a system ends.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(20);

    /// <summary>Tries before it is said that Akka does not come up.</summary>
    private const int Starts = 3;

    private readonly ActorSystem _system;
    private readonly AkkaCluster _cluster;
    private readonly IActorRef _actor = ActorRefs.Nobody;
    private readonly StaticMember? _member;
    private readonly ViewMailbox? _coordinator;
    private readonly TaskCompletionSource<CoordinatorSeat> _seat = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _out = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Timer _patience;
    private volatile bool _ends;

    /// <exception cref="UserMistakeException">The address is taken, not ours, or needs <see cref="EngineOptions.Insecure"/>.</exception>
    /// <exception cref="ClusterException">Akka.Cluster does not come up.</exception>
    public AkkaMembership(EngineOptions options)
    {
        (_system, Listens) = Start(options);
        _cluster = AkkaCluster.Get(_system);
        _ = _system.WhenTerminated.ContinueWith(_ => _out.TrySetResult(_ends
            ? "it left the cluster"
            : "the cluster has declared this process dead, or the side of a split that it is on too small: it must be started again"), TaskScheduler.Default);
        if (options.Role == MemberRole.Coordinator)
        {
            _coordinator = new ViewMailbox("membership", new MembershipView(0, default, Coordinator: null, [], "standing by"));
            var budget = options.Times.LastCheckpoint;
            CoordinatedShutdown.Get(_system).AddTask(EngineConfiguration.LastCheckpoint, "give the seat back", async () =>
            {
                if (!_seat.Task.IsCompletedSuccessfully) return Akka.Done.Instance;
                _seat.Task.Result.Lose();
                await Task.WhenAny(_seat.Task.Result.Released, Task.Delay(budget));
                return Akka.Done.Instance;
            });
            var open = () => OpenRegister(options.OpenRegister!);
            _system.ActorOf(
                ClusterSingletonManager.Props(Props.Create(() => new SeatActor(open, options.Times, Taken)), SeatActor.GiveBack.Instance, ClusterSingletonManagerSettings.Create(_system).WithRole(EngineConfiguration.RoleOf(MemberRole.Coordinator))),
                "coordinator");
            _cluster.RegisterOnMemberUp(() => options.Say(IMembershipEngine.CoordinatorIsIn));
        }
        else
        {
            _member = new StaticMember(options.Name, options.Role, options.Incarnation, options.Address, options.Refused);
            _actor = _system.ActorOf(Props.Create(() => new MemberActor(_member)), EngineConfiguration.MemberName);
        }
        var seeds = options.Seeds.Select(seed => new Address("akka.link", _system.Name, seed.Name, seed.Port)).ToList();
        _cluster.JoinSeedNodes(seeds);
        var wait = 3 * options.Times.FirstSeed;
        _patience = new Timer(_ => Waited(options), null, wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Akka's actors wait for each other while its cluster comes up, and once in some thousand starts they do so in a circle: it gives up
    /// after <see cref="EngineConfiguration.Creation"/>, without a word, and would be deaf for ever. So it is begun anew.
    /// </summary>
    private static (ActorSystem System, LinkAddress Listens) Start(EngineOptions options)
    {
        for (var left = Starts; left > 0; left--)
        {
            var transport = new LinkTransportSetup(options);
            try
            {
                var system = ActorSystem.Create(EngineConfiguration.SystemName, ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(EngineConfiguration.Create(options)), transport));
                if (!AkkaCluster.Get(system).IsTerminated) return (system, transport.Listens);
                system.Terminate().Wait(EndPatience);
                system.Dispose();
            }
            catch
            {
                transport.Listener.Dispose();
                throw;
            }
            transport.Listener.Dispose();
        }
        throw new ClusterException($"the membership engine did not come up, {Starts} times in {EngineConfiguration.Creation.TotalSeconds} s each: see what keeps this machine busy, and start the node again");
    }

    public LinkAddress Listens { get; }

    public string? Name => _member is { } member ? member.Name : MemberNames.Coordinator;

    public Task<CoordinatorSeat> Seat => _seat.Task;

    public Task<string> Out => _out.Task;

    public MembershipView View => _member?.View ?? _coordinator!.View;

    /// <summary>The system, for tests that look inside.</summary>
    internal ActorSystem System => _system;

    public IDisposable Subscribe(Action<MembershipView> listener) => _member?.Subscribe(listener) ?? _coordinator!.Subscribe(listener);

    public void Leave() => _actor.Tell(MemberActor.Leave.Instance);

    public async Task EndAsync()
    {
        _ends = true;
        await CoordinatedShutdown.Get(_system).Run(CoordinatedShutdown.ClusterLeavingReason.Instance);
        await _system.WhenTerminated;
    }

    public void Dispose()
    {
        _ends = true;
        _patience.Dispose();
        // Whoever still acts as the coordinator is not waited for: this is not the orderly end.
        if (_seat.Task.IsCompletedSuccessfully) _seat.Task.Result.Release();
        _system.Terminate().Wait(EndPatience);
        _system.Dispose();
        _member?.Dispose();
        _coordinator?.Dispose();
    }

    /// <summary>Inside an actor's constructor nobody hears an exception: without this the seat would stay empty, and nobody would know.</summary>
    private MemberRegistry OpenRegister(Func<MemberRegistry> open)
    {
        try
        {
            return open();
        }
        catch (Exception e)
        {
            _out.TrySetResult($"it cannot take the coordinator's seat: {e.Message.ReplaceLineEndings(" ")}");
            throw;
        }
    }

    private void Taken(CoordinatorSeat seat)
    {
        seat.Register.Subscribe(view => _coordinator!.Post(() => _coordinator.Show(view)));
        if (!_seat.TrySetResult(seat)) seat.Release();
    }

    /// <summary>Said once: it goes on trying.</summary>
    private void Waited(EngineOptions options)
    {
        if (_cluster.IsTerminated || _cluster.SelfMember.Status is Akka.Cluster.MemberStatus.Up or Akka.Cluster.MemberStatus.WeaklyUp) return;
        options.Say($"no cluster lets this process in yet; it tries the seeds {string.Join(", ", options.Seeds)} again and again: start the first of them, or check the addresses");
    }
}
