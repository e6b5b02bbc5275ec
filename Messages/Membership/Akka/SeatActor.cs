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

    private readonly EngineTimes _times;
    private readonly CoordinatorSeat _seat;
    private readonly Action<CoordinatorSeat> _taken;
    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly Dictionary<IActorRef, (AkkaPeer Peer, UniqueAddress Home)> _peers = [];
    private readonly Dictionary<Address, AkkaMember> _members = [];

    public SeatActor(Func<MemberRegistry> openRegister, EngineTimes times, Action<CoordinatorSeat> taken)
    {
        (_times, _taken) = (times, taken);
        _seat = new CoordinatorSeat(openRegister());
        Receive<CallNow>(_ => CallAll());
        Receive<MemberAnswers>(Answered);
        Receive<MemberLeaves>(_ => About(Sender, _seat.Register.Leaving));
        Receive<ClusterEvent.MemberJoined>(joined => Here(joined.Member));
        Receive<ClusterEvent.MemberWeaklyUp>(up => Here(up.Member));
        Receive<ClusterEvent.MemberUp>(up => Here(up.Member));
        Receive<ClusterEvent.MemberLeft>(left => At(left.Member, _seat.Register.Leaving));
        Receive<ClusterEvent.UnreachableMember>(silent => At(silent.Member, peer => _seat.Register.Silent(peer, times.Pause)));
        Receive<ClusterEvent.ReachableMember>(heard => At(heard.Member, _seat.Register.HeardAgain));
        Receive<ClusterEvent.MemberDowned>(dead => Gone(dead.Member, "declared dead: nobody heard of it"));
        Receive<ClusterEvent.MemberRemoved>(gone => Gone(gone.Member, gone.PreviousStatus == MemberStatus.Exiting ? "it left the cluster" : "declared dead: nobody heard of it"));
        Receive<ClusterEvent.IClusterDomainEvent>(static _ => { });
        Receive<GiveBack>(asked =>
        {
            OffThisThread(_seat.Lose);
            _ = _seat.Released.WaitAsync(_times.LastCheckpoint).ContinueWith(static _ => new HasReleased(), TaskScheduler.Default).PipeTo(Self);
        });
        Receive<HasReleased>(_ => Context.Stop(Self));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer("call", new CallNow(), _times.Call);
        _taken(_seat);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        OffThisThread(() =>
        {
            _seat.Lose();
            _seat.Register.Dispose();
        });
    }

    /// <summary>Whoever hears that the seat is lost may wait for this actor, or for the register.</summary>
    private static void OffThisThread(Action act) => _ = Task.Factory.StartNew(act, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Here(AkkaMember member)
    {
        _members[member.Address] = member;
        Call(member);
    }

    private void CallAll()
    {
        foreach (var member in _members.Values) Call(member);
    }

    /// <summary>Says where the coordinator is; whoever does not know, or knows an older view, answers with a hello.</summary>
    private void Call(AkkaMember member)
    {
        var view = _seat.Register.View;
        Context.ActorSelection(new RootActorPath(member.Address) / "user" / EngineConfiguration.MemberName).Tell(new CoordinatorCalls(view.TermCandidate, view.Number), Self);
    }

    private void Answered(MemberAnswers answer)
    {
        if (!_members.TryGetValue(Sender.Path.Address, out var member) || !member.HasRole(EngineConfiguration.RoleOf(answer.Hello.Role)))
        {
            Sender.Tell(new MemberRefusal($"no process of role {EngineConfiguration.RoleOf(answer.Hello.Role)} is known at {Sender.Path.Address}: it may be declared dead; start it again", TryAgain: true), Self);
            return;
        }

        // A process that was started again at its old address: what happens to the old one, silence or death, would befall it too. It
        // is called again when the cluster has taken it in.
        if (member.UniqueAddress.Uid != answer.Uid) return;
        if (!_peers.TryGetValue(Sender, out var known)) _peers[Sender] = known = (new AkkaPeer(Sender, Self), member.UniqueAddress);
        _seat.Register.Hello(known.Peer, answer.Hello);
    }

    private void Gone(AkkaMember member, string cause)
    {
        At(member, peer => _seat.Register.Disconnected(peer, cause));
        foreach (var gone in _peers.Where(pair => pair.Value.Home.Equals(member.UniqueAddress)).Select(static pair => pair.Key).ToArray()) _peers.Remove(gone);
        if (_members.TryGetValue(member.Address, out var known) && known.UniqueAddress.Equals(member.UniqueAddress)) _members.Remove(member.Address);
    }

    private void At(AkkaMember member, Action<IMemberPeer> report)
    {
        foreach (var (peer, home) in _peers.Values)
            if (home.Equals(member.UniqueAddress)) report(peer);
    }

    private void About(IActorRef actor, Action<IMemberPeer> report)
    {
        if (_peers.TryGetValue(actor, out var known)) report(known.Peer);
    }
}
