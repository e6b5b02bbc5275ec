using System.Buffers.Binary;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting;

/// <summary>What a process does with what comes from a peer. Called on the link's threads: return at once.</summary>
/// <param name="Route">The local actor that a message for this target goes to; null = nobody here takes it.</param>
/// <param name="Closed">The link has ended.</param>
public sealed record PeerCallbacks(Func<RemotePeer, object, int, IActorRef?> Route, Action<RemotePeer, LinkClosure> Closed)
{
    public Action<RemotePeer>? Opened { get; init; }

    /// <summary>The other end sent what its role may not send: a sentence, once per link, which then ends.</summary>
    public Action<RemotePeer, string>? Refused { get; init; }
}

/// <summary>
/// A process at the other end of a link, as actors see it: <see cref="Ref"/> sends, what arrives is told to local actors
/// with a reference back as the sender. What the other end's role may not send (<see cref="SenderRights"/>) is not read:
/// it is counted, said, and ends the link.
/// </summary>
public sealed class RemotePeer(ActorSystem system, BufferPools buffers, PeerCallbacks callbacks, PeerRoles roles) : ILinkHandler
{
    /// <summary>Why such a message is counted as refused.</summary>
    private const string RoleRefusal = "sender's role";

    private static readonly KeyValuePair<string, object?> RoleTag = new(ClusterTelemetry.Tags.Reason, RoleRefusal);

    private readonly Arrivals _arrivals = new(buffers);
    private volatile ILink? _link;
    private int _maxFloats;
    private uint _nextTransfer;
    private int _refused;

    /// <summary>Sent where a frame has no payload.</summary>
    private static readonly NativeBuffer Nothing = NativeBuffer.Allocate(1);

    /// <summary>Longest stretch of a tensor in one frame; tests shorten it.</summary>
    internal int MostFrameFloats { get; init; } = Limits.LinkBulkFloats;

    /// <summary>Messages that have begun to arrive and are not whole.</summary>
    internal int Arriving => _arrivals.Count;

    /// <summary>Null before it is open.</summary>
    public ILink? Link => _link;

    public bool IsOpen => _link is { Closure: null };

    /// <summary>How shards lie in the state vector: needed before a tensor is sent to one.</summary>
    public Func<int, RangeOnWire>? Ranges { get; set; }

    /// <summary>Longest tensor that may come; 0 = none is expected yet.</summary>
    public int MaxFloats
    {
        get => Volatile.Read(ref _maxFloats);
        set => Volatile.Write(ref _maxFloats, value);
    }

    /// <summary>Dials the process; when this returns, messages can be sent.</summary>
    /// <inheritdoc cref="Links.Connect" path="/exception"/>
    public void Dial(LinkAddress address, LinkDiallerOptions options) =>
        // Opened is called on the link's own thread, which may be later than the return of Connect.
        _link = Links.Connect(address, options, this);

    /// <summary>Where messages to this process go.</summary>
    /// <param name="target">The shard whose slot is meant, where the process holds shards.</param>
    public IActorRef Ref(int target = 0) => new RemoteRef(this, system, target);

    /// <summary>Sends a message; what it holds is released, whatever happens. Any thread; tensors wait for room on the link.</summary>
    /// <returns>False: the link is closed.</returns>
    /// <exception cref="ClusterException">The message does not travel, or is longer than <see cref="Limits.RemoteHeadBytes"/>.</exception>
    public bool Send(object message, int target = 0)
    {
        ArgumentNullException.ThrowIfNull(message);
        try
        {
            if (_link is not { Closure: null } link) return false;
            if (TensorMessage.Split(message, RangeOf, target) is { } split) return SendFrames(link, split.Head, WireTypes.Write(split.Head), split.Tensors, target);
            var type = WireTypes.NumberOf(message.GetType());
            var body = WireTypes.Write(message);
            // A long report (records since the last checkpoint) goes like a tensor's head, in pieces.
            return body.Length <= Limits.LinkControlBytes - sizeof(int) ? SendControl(link, type, body, target) : SendFrames(link, message, body, [], target);
        }
        finally
        {
            TensorMessage.Release(message);
        }
    }

    private RangeOnWire RangeOf(int shard) => (Ranges ?? throw new ClusterException("tensors are sent to a shard before its range is known"))(shard);

    private static bool SendControl(ILink link, ushort type, byte[] body, int target)
    {
        Span<byte> frame = body.Length < 1024 ? stackalloc byte[body.Length + sizeof(int)] : new byte[body.Length + sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(frame, target);
        body.CopyTo(frame[sizeof(int)..]);
        return link.SendControl(type, frame);
    }

    private bool SendFrames(ILink link, object head, byte[] meta, IReadOnlyList<TensorSlice> tensors, int target)
    {
        const int Room = Limits.LinkHeaderBytes - BulkHeader.Bytes;
        if (meta.Length > Limits.RemoteHeadBytes) throw new ClusterException($"a {head.GetType().Name} of {meta.Length} bytes does not travel: {Limits.RemoteHeadBytes} are the most; checkpoints shorten it");
        var type = WireTypes.NumberOf(head.GetType());
        var header = new BulkHeader(Interlocked.Increment(ref _nextTransfer), target, meta.Length, 0, (byte)tensors.Count, 0, 0);
        var rest = meta.AsSpan();
        while (rest.Length > (tensors.Count == 0 ? 0 : Room))
        {
            var piece = Math.Min(Room, rest.Length);
            if (!link.SendBulk(type, Bytes(header, rest[..piece]), Nothing, 0, 0)) return false;
            rest = rest[piece..];
        }
        for (var i = 0; i < tensors.Count; i++)
        {
            var slice = tensors[i];
            for (var first = 0; first < slice.Length; first += MostFrameFloats)
            {
                var floats = Math.Min(MostFrameFloats, slice.Length - first);
                if (!link.SendBulk(type, Bytes(header with { Tensor = (byte)i, First = first, Length = slice.Length }, rest), slice.Buffer, slice.First + first, floats)) return false;
                rest = [];
            }
        }
        return true;
    }

    private static byte[] Bytes(BulkHeader header, ReadOnlySpan<byte> piece)
    {
        var bytes = new byte[BulkHeader.Bytes + piece.Length];
        header.Write(bytes);
        piece.CopyTo(bytes.AsSpan(BulkHeader.Bytes));
        return bytes;
    }

    void ILinkHandler.Opened(ILink link)
    {
        _link = link;
        callbacks.Opened?.Invoke(this);
    }

    void ILinkHandler.Control(ILink link, ushort type, ReadOnlySpan<byte> body)
    {
        if (body.Length < sizeof(int)) throw new ClusterException("a message without its target");
        if (IsRefused(link, type)) return;
        if (WireTypes.IsHead(type)) throw new ClusterException($"the head of a message of type {type} without its tensors");
        Deliver(WireTypes.Read(type, body[sizeof(int)..]), BinaryPrimitives.ReadInt32LittleEndian(body));
    }

    BulkTarget ILinkHandler.Bulk(ILink link, in BulkOffer offer) => IsRefused(link, offer.Type)
        ? BulkTarget.Refuse(RoleRefusal)
        : _arrivals.Place(offer.Type, offer.Header, offer.Floats, offer.Shared, MaxFloats);

    void ILinkHandler.BulkArrived(ILink link, in BulkArrival arrival)
    {
        if (_arrivals.Take(arrival.Header, arrival.Floats, arrival.Target) is { } whole) Deliver(whole.Message, whole.Target);
    }

    // The buffer belongs to its message, which ends with the link.
    void ILinkHandler.BulkLost(ILink link, BulkTarget target) { }

    void ILinkHandler.Closed(ILink link, LinkClosure closure)
    {
        _arrivals.Release();
        callbacks.Closed(this, closure);
    }

    /// <summary>Whether the other end may not send this; the link ends then. A number that nobody knows is refused where it is read.</summary>
    private bool IsRefused(ILink link, ushort type)
    {
        if (WireTypes.TypeOf(type) is not { } message || SenderRights.Refusal(message, roles, link.Peer.Name) is not { } sentence) return false;
        ClusterTelemetry.RefusedMessages.Add(1, RoleTag);
        if (Interlocked.Exchange(ref _refused, 1) != 0) return true;
        callbacks.Refused?.Invoke(this, sentence);
        link.Close(LinkEnd.Dismissed, sentence);
        return true;
    }

    private void Deliver(object message, int target)
    {
        if (callbacks.Route(this, message, target) is { } actor) actor.Tell(message, Ref(target));
        else TensorMessage.Release(message);
    }
}
