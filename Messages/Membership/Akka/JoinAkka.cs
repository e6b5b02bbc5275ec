using Cluster.Membership.Gossip;

namespace Cluster.Membership;

public static partial class MembershipEngines
{
    static partial void Find(ref bool hasAkka) => hasAkka = true;

    static partial void Join(EngineOptions options, ref IMembershipEngine? engine) => engine = new AkkaMembership(options);
}
