using Akka.Actor;

namespace Cluster.Remoting;

/// <summary>An actor in another process. Telling it writes to the link on the caller's thread; a closed link drops the message, as a dead actor would.</summary>
internal sealed class RemoteRef(RemotePeer peer, ActorSystem system, int target) : MinimalActorRef
{
    private readonly IActorRefProvider _provider = ((ExtendedActorSystem)system).Provider;

    public override ActorPath Path => _provider.RootPath / "remote" / (peer.Link?.Peer.Name ?? "nobody");

    public override IActorRefProvider Provider => _provider;

    protected override void TellInternal(object message, IActorRef sender) => peer.Send(message, target);
}
