using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>
/// Who is there, as this process knows it. Engines differ in how they find out; views mean the same: ordered by (term
/// candidate, number), each whole, each with its reason.
/// </summary>
public interface IMembership : IDisposable
{
    /// <summary>The newest view. Number 0 while nothing is known. Any thread.</summary>
    MembershipView View { get; }

    /// <summary>
    /// Hears every view from now on, the present one first. Calls come one at a time, in the order of views, from the engine's one
    /// thread: hand over and return; to wait in it delays everybody's views, and to throw ends the process. Any thread.
    /// </summary>
    /// <returns>Dispose it to hear no more; a call that has begun may still be running.</returns>
    IDisposable Subscribe(Action<MembershipView> listener);
}
