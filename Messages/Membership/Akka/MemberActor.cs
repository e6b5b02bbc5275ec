using Akka.Actor;
using Akka.Cluster;
using Cluster.Contracts;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Cluster.Membership.Gossip;

/// <summary>
/// Stands for this process: answers the coordinator's calls with a hello, hands its words to <see cref="StaticMember"/>, and
/// notices when it is out of reach.
/// </summary>
internal sealed class MemberActor : ReceiveActor
{
    /// <summary>This process says that it leaves.</summary>
    public sealed record Leave
    {
        public static readonly Leave Instance = new();
    }

    private readonly StaticMember _member;
    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private IActorRef _coordinator = ActorRefs.Nobody;
    private Term _term;
    private bool _isOut;

    public MemberActor(StaticMember member)
    {
        _member = member;
        Receive<CoordinatorCalls>(Answer);
        Receive<MemberWelcome>(welcome => FromCoordinator(() => _member.Welcomed(welcome)));
        Receive<MembershipView>(view => FromCoordinator(() => _member.Told(view)));
        Receive<MemberRefusal>(refusal => FromCoordinator(() => Refused(refusal)));
        Receive<Leave>(_ => _coordinator.Tell(new MemberLeaves(_member.Name ?? "", _member.Hello.Incarnation), Self));
        Receive<ClusterEvent.UnreachableMember>(lost => IfCoordinator(lost.Member, () => _member.CoordinatorLost("nothing was heard of it for too long")));
        Receive<ClusterEvent.ReachableMember>(back => IfCoordinator(back.Member, _member.CoordinatorHeardAgain));
        Receive<ClusterEvent.MemberRemoved>(gone => IfCoordinator(gone.Member, () =>
        {
            _member.CoordinatorLost("it is out of the cluster");
            _coordinator = ActorRefs.Nobody;
        }));
        Receive<ClusterEvent.IClusterDomainEvent>(static _ => { });
    }

    protected override void PreStart() =>
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IReachabilityEvent), typeof(ClusterEvent.MemberRemoved));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    /// <summary>Whoever carries the newest term is the coordinator; an older one that wakes up is not heard any more.</summary>
    private void Answer(CoordinatorCalls call)
    {
        if (call.Term < _term || _isOut) return;
        _term = call.Term;
        var isNew = !Sender.Equals(_coordinator);
        _coordinator = Sender;
        var view = _member.View;
        if (isNew || view.TermCandidate != call.Term || view.Number < call.Number || view.Coordinator is null) Sender.Tell(new MemberAnswers(_cluster.SelfUniqueAddress.Uid, _member.Hello), Self);
    }

    private void Refused(MemberRefusal refusal)
    {
        _isOut = !refusal.TryAgain;
        _member.Refused(refusal);
    }

    private void FromCoordinator(Action act)
    {
        if (Sender.Equals(_coordinator)) act();
    }

    private void IfCoordinator(Akka.Cluster.Member member, Action act)
    {
        if (!_coordinator.IsNobody() && member.Address.Equals(_coordinator.Path.Address)) act();
    }
}
