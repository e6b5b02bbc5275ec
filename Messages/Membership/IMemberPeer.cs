using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>
/// The registry's way to one process, over one connection: whoever owns the transport implements it. Calls come from the
/// registry's thread and must not block.
/// </summary>
public interface IMemberPeer
{
    void Welcome(MemberWelcome welcome);

    /// <summary>The process is not let in, or has lost its place: tell it, then close. What it sends from now on is void.</summary>
    void Refuse(MemberRefusal refusal);

    void Show(MembershipView view);
}
