using Akka.Actor;
using Akka.Cluster;
using Cluster.Contracts;
using AkkaCluster = Akka.Cluster.Cluster;
using AkkaMember = Akka.Cluster.Member;

namespace Cluster.Membership.Gossip;

/// <summary>
/// The coordinator's seat: there is one of it among the processes of that role, as far as the cluster can tell. It keeps the
/// register and reports to it what the cluster notices.
/// </summary>
internal sealed class SeatActor : ReceiveActor, IWithTimers
{
    /// <summary>Asks for the seat back: the process leaves.</summary>
    public sealed record GiveBack
    {
        public static readonly GiveBack Instance = new();
    }

    private sealed record CallNow;

    private sealed record HasReleased;

    private readonly EngineOptions _options;
    private readonly CoordinatorSeat _seat;
    private readonly Action<CoordinatorSeat> _taken;
    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly Dictionary<IActorRef, AkkaPeer> _peers = [];
    private readonly Dictionary<Address, AkkaMember> _members = [];

    public SeatActor(EngineOptions options, Action<CoordinatorSeat> taken)
    {
        (_options, _taken) = (options, taken);
        _seat = new CoordinatorSeat(options.OpenRegister!());
        Receive<CallNow>(_ => CallAll());
        Receive<MemberHello>(Hello);
        Receive<MemberLeaves>(_ => About(Sender, _seat.Register.Leaving));
        Receive<ClusterEvent.MemberJoined>(joined => Here(joined.Member));
        Receive<ClusterEvent.MemberWeaklyUp>(up => Here(up.Member));
        Receive<ClusterEvent.MemberUp>(up => Here(up.Member));
        Receive<ClusterEvent.MemberLeft>(left => At(left.Member.Address, _seat.Register.Leaving));
        Receive<ClusterEvent.UnreachableMember>(silent => At(silent.Member.Address, peer => _seat.Register.Silent(peer, options.Times.Pause)));
        Receive<ClusterEvent.ReachableMember>(heard => At(heard.Member.Address, _seat.Register.HeardAgain));
        Receive<ClusterEvent.MemberDowned>(dead => Gone(dead.Member, "declared dead: nobody heard of it"));
        Receive<ClusterEvent.MemberRemoved>(gone => Gone(gone.Member, gone.PreviousStatus == MemberStatus.Exiting ? "it left the cluster" : "declared dead: nobody heard of it"));
        Receive<ClusterEvent.IClusterDomainEvent>(static _ => { });
        Receive<GiveBack>(_ =>
        {
            _seat.Lose();
            _seat.Released.WaitAsync(_options.Times.LastCheckpoint).ContinueWith(static _ => new HasReleased(), TaskScheduler.Default).PipeTo(Self);
        });
        Receive<HasReleased>(_ => Context.Stop(Self));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer("call", new CallNow(), _options.Times.Call);
        _taken(_seat);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        // Off this thread: whoever hears of it may wait for the register.
        Task.Factory.StartNew(() =>
        {
            _seat.Lose();
            _seat.Register.Dispose();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Here(AkkaMember member)
    {
        _members[member.Address] = member;
        Call(member.Address);
    }

    private void CallAll()
    {
        foreach (var address in _members.Keys) Call(address);
    }

    /// <summary>Says where the coordinator is; whoever does not know, or knows an older view, answers with a hello.</summary>
    private void Call(Address address)
    {
        var view = _seat.Register.View;
        Context.ActorSelection(new RootActorPath(address) / "user" / EngineConfiguration.MemberName).Tell(new CoordinatorCalls(view.TermCandidate, view.Number), Self);
    }

    private void Hello(MemberHello hello)
    {
        if (!_members.TryGetValue(Sender.Path.Address, out var member) || !member.HasRole(EngineConfiguration.RoleOf(hello.Role)))
        {
            Sender.Tell(new MemberRefusal($"no process of role {EngineConfiguration.RoleOf(hello.Role)} is known at {Sender.Path.Address}: it may be declared dead; start it again", TryAgain: true), Self);
            return;
        }
        if (!_peers.TryGetValue(Sender, out var peer)) _peers[Sender] = peer = new AkkaPeer(Sender, Self);
        _seat.Register.Hello(peer, hello);
    }

    private void Gone(AkkaMember member, string cause)
    {
        At(member.Address, peer => _seat.Register.Disconnected(peer, cause));
        foreach (var gone in _peers.Keys.Where(actor => actor.Path.Address.Equals(member.Address)).ToArray()) _peers.Remove(gone);
        if (_members.TryGetValue(member.Address, out var known) && known.UniqueAddress.Equals(member.UniqueAddress)) _members.Remove(member.Address);
    }

    private void At(Address address, Action<IMemberPeer> report)
    {
        foreach (var (actor, peer) in _peers)
            if (actor.Path.Address.Equals(address)) report(peer);
    }

    private void About(IActorRef actor, Action<IMemberPeer> report)
    {
        if (_peers.TryGetValue(actor, out var peer)) report(peer);
    }
}
