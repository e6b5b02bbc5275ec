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
}

/// <summary>
/// A process at the other end of a link, as actors see it: <see cref="Ref"/> sends, what arrives is told to local actors
/// with a reference back as the sender.
/// </summary>
public sealed class RemotePeer(ActorSystem system, BufferPools buffers, PeerCallbacks callbacks) : ILinkHandler
{
    /// <summary>Messages whose tensors are on their way at once: a peer's nodes to all slots of this process.</summary>
    private const int MostTransfers = 4 * Limits.MaxShards;

    private readonly Dictionary<uint, Transfer> _transfers = [];
    private volatile ILink? _link;
    private int _maxFloats;
    private uint _nextTransfer;

    private sealed class Transfer(BulkHeader header)
    {
        public readonly int Target = header.Target;
        public readonly NativeBuffer?[] Tensors = new NativeBuffer?[header.Tensors];
        public readonly long[] Missing = new long[header.Tensors];
        public object? Head;

        public bool IsWhole => Head is not null && Tensors.All(static t => t is not null) && Missing.All(static m => m == 0);

        public void Release()
        {
            foreach (var tensor in Tensors) tensor?.Dispose();
        }
    }

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

    /// <summary>Sends a message; what it holds is released. Any thread; tensors wait for room on the link.</summary>
    /// <returns>False: the link is closed.</returns>
    public bool Send(object message, int target = 0)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_link is not { Closure: null } link)
        {
            TensorMessage.Release(message);
            return false;
        }
        if (TensorMessage.Split(message, shard => (Ranges ?? throw new ClusterException("tensors are sent to a shard before its range is known"))(shard), target) is not { } split)
        {
            var body = WireTypes.Write(message);
            Span<byte> frame = body.Length < 1024 ? stackalloc byte[body.Length + sizeof(int)] : new byte[body.Length + sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(frame, target);
            body.CopyTo(frame[sizeof(int)..]);
            return link.SendControl(WireTypes.NumberOf(message.GetType()), frame);
        }
        try
        {
            return SendTensors(link, split.Head, split.Tensors, target);
        }
        finally
        {
            TensorMessage.Release(message);
        }
    }

    private bool SendTensors(ILink link, object head, IReadOnlyList<TensorSlice> tensors, int target)
    {
        var type = WireTypes.NumberOf(head.GetType());
        var transfer = Interlocked.Increment(ref _nextTransfer);
        var meta = WireTypes.Write(head);
        for (var i = 0; i < tensors.Count; i++)
        {
            var slice = tensors[i];
            for (var first = 0; first < slice.Length; first += Limits.LinkBulkFloats)
            {
                var floats = Math.Min(Limits.LinkBulkFloats, slice.Length - first);
                var isFirst = i == 0 && first == 0;
                var header = new byte[BulkHeader.Bytes + (isFirst ? meta.Length : 0)];
                new BulkHeader(transfer, target, (byte)i, (byte)tensors.Count, first, slice.Length).Write(header);
                if (isFirst) meta.CopyTo(header.AsSpan(BulkHeader.Bytes));
                if (!link.SendBulk(type, header, slice.Buffer, slice.First + first, floats)) return false;
            }
        }
        return true;
    }

    void ILinkHandler.Opened(ILink link)
    {
        _link = link;
        callbacks.Opened?.Invoke(this);
    }

    void ILinkHandler.Control(ILink link, ushort type, ReadOnlySpan<byte> body)
    {
        if (body.Length < sizeof(int)) throw new ClusterException("a message without its target");
        Deliver(WireTypes.Read(type, body[sizeof(int)..]), BinaryPrimitives.ReadInt32LittleEndian(body));
    }

    BulkTarget ILinkHandler.Bulk(ILink link, in BulkOffer offer)
    {
        // Nothing here is proven before the checksum; it is only used to find memory, within bounds.
        if (BulkHeader.Read(offer.Header) is not { } header || header.Tensor >= header.Tensors || header.Length < 1 || header.Length > MaxFloats
            || header.First < 0 || header.First + (long)offer.Floats > header.Length) return BulkTarget.Refuse("tensor out of bounds");
        lock (_transfers)
        {
            if (!_transfers.TryGetValue(header.Transfer, out var transfer))
            {
                if (_transfers.Count >= MostTransfers) return BulkTarget.Refuse("too many transfers");
                _transfers[header.Transfer] = transfer = new Transfer(header);
            }
            if (header.Tensors != transfer.Tensors.Length) return BulkTarget.Refuse("tensor out of bounds");
            if (transfer.Tensors[header.Tensor] is null)
            {
                transfer.Tensors[header.Tensor] = buffers.Rent(header.Length);
                transfer.Missing[header.Tensor] = header.Length;
            }
            var buffer = transfer.Tensors[header.Tensor]!;
            return buffer.Length == header.Length ? BulkTarget.Into(buffer, header.First) : BulkTarget.Refuse("tensor out of bounds");
        }
    }

    void ILinkHandler.BulkArrived(ILink link, in BulkArrival arrival)
    {
        var header = BulkHeader.Read(arrival.Header)!.Value;
        Transfer? whole = null;
        lock (_transfers)
        {
            if (!_transfers.TryGetValue(header.Transfer, out var transfer)) return;
            if (arrival.Header.Length > BulkHeader.Bytes) transfer.Head = WireTypes.Read(arrival.Type, arrival.Header[BulkHeader.Bytes..]);
            transfer.Missing[header.Tensor] -= arrival.Floats;
            if (!transfer.IsWhole) return;
            _transfers.Remove(header.Transfer);
            whole = transfer;
        }
        Deliver(TensorMessage.Join(whole.Head!, whole.Tensors!), whole.Target);
    }

    // The buffer belongs to its transfer, which ends with the link.
    void ILinkHandler.BulkLost(ILink link, BulkTarget target) { }

    void ILinkHandler.Closed(ILink link, LinkClosure closure)
    {
        lock (_transfers)
        {
            foreach (var transfer in _transfers.Values) transfer.Release();
            _transfers.Clear();
        }
        callbacks.Closed(this, closure);
    }

    private void Deliver(object message, int target)
    {
        if (callbacks.Route(this, message, target) is { } actor) actor.Tell(message, Ref(target));
        else TensorMessage.Release(message);
    }
}
