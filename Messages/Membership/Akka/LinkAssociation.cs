using Akka.Actor;
using Akka.Remote.Transport;
using Cluster.Link;
using Google.Protobuf;

namespace Cluster.Membership.Gossip;

/// <summary>One link between two systems: Akka's payloads are its control frames. What comes before Akka reads waits here.</summary>
internal sealed class LinkAssociation : AssociationHandle, ILinkHandler
{
    private const ushort Payload = 1;

    private readonly Action<LinkAssociation> _ended;
    private readonly Lock _lock = new();
    private readonly Queue<IHandleEvent> _early = [];
    private IHandleEventListener? _reader;
    private volatile ILink? _link;

    public LinkAssociation(Address local, Address remote, Action<LinkAssociation> ended) : base(local, remote)
    {
        _ended = ended;
        _ = ReadHandlerSource.Task.ContinueWith(t => Read(t.Result), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    /// <summary>Hears of an inbound link that is open. Link's thread.</summary>
    public Action<LinkAssociation>? OnOpened { get; init; }

    public override bool Write(ByteString payload) => _link?.SendControl(Payload, payload.Span) ?? false;

    [Obsolete("Akka's name for closing without a reason.")]
    public override void Disassociate() => Close("the association is over");

    /// <summary>Any number of times.</summary>
    public void Close(string sentence) => _link?.Close(LinkEnd.Finished, sentence);

    public void Opened(ILink link)
    {
        _link = link;
        OnOpened?.Invoke(this);
    }

    public void Control(ILink link, ushort type, ReadOnlySpan<byte> body)
    {
        if (type == Payload) Tell(new InboundPayload(ByteString.CopyFrom(body)));
        else link.Close(LinkEnd.Protocol, $"a frame of type {type} has no business with the membership");
    }

    public BulkTarget Bulk(ILink link, in BulkOffer offer)
    {
        link.Close(LinkEnd.Protocol, "tensors have no business with the membership");
        return BulkTarget.Refuse("membership");
    }

    public void BulkArrived(ILink link, in BulkArrival arrival) { }

    public void BulkLost(ILink link, BulkTarget target) { }

    public void Closed(ILink link, LinkClosure closure)
    {
        _ended(this);
        Tell(new Disassociated(DisassociateInfo.Unknown));
    }

    // Two links between the same pair are two associations.
    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    private void Tell(IHandleEvent what)
    {
        lock (_lock)
        {
            if (_reader is { } reader) reader.Notify(what);
            else _early.Enqueue(what);
        }
    }

    private void Read(IHandleEventListener reader)
    {
        lock (_lock)
        {
            _reader = reader;
            while (_early.TryDequeue(out var early)) reader.Notify(early);
        }
    }
}
