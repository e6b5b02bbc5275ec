using Akka.Actor;
using Cluster.Contracts;

namespace Cluster.Membership.Gossip;

/// <summary>The register's way to one process: its actor. What gets lost on the way is asked for again after the coordinator's next call.</summary>
internal sealed class AkkaPeer(IActorRef member, IActorRef coordinator) : IMemberPeer
{
    public void Welcome(MemberWelcome welcome) => member.Tell(welcome, coordinator);

    public void Refuse(MemberRefusal refusal) => member.Tell(refusal, coordinator);

    public void Show(MembershipView view) => member.Tell(view, coordinator);
}
