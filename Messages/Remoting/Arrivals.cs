using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting;

/// <summary>
/// Bulk messages of one link that have begun to arrive. A message begins with the frame that brings the beginning of its
/// head; whatever does not continue one that is known is refused, and a message with a wrong frame is let go as a whole.
/// Thread-safe.
/// </summary>
internal sealed class Arrivals(BufferPools buffers)
{
    /// <summary>Where the payload of a frame without one goes.</summary>
    private static readonly NativeBuffer Nowhere = NativeBuffer.Allocate(1);

    /// <summary>Marks a tensor that is taken where it lies.</summary>
    private static readonly object Reference = new();

    private readonly Dictionary<uint, Arriving> _open = [];

    private sealed class Arriving(BulkHeader header, ushort type)
    {
        public readonly ushort Type = type;
        public readonly int Target = header.Target;
        public readonly int HeadBytes = header.HeadBytes;
        public readonly List<byte> Head = [];
        public readonly NativeBuffer?[] Tensors = new NativeBuffer?[header.Tensors];
        public readonly int[] Arrived = new int[header.Tensors];

        public bool IsWhole => Head.Count == HeadBytes && Tensors.Zip(Arrived).All(static t => t.First?.Length == t.Second);

        public void Release()
        {
            foreach (var tensor in Tensors) tensor?.Dispose();
        }
    }

    /// <summary>Messages that are not whole yet.</summary>
    public int Count
    {
        get
        {
            lock (_open) return _open.Count;
        }
    }

    /// <summary>
    /// Where a frame's payload goes, or why nowhere. Nothing of the header is proven before the checksum: it is used to
    /// find memory, within bounds, and to follow the order; what it announced is taken in by <see cref="Take"/>.
    /// </summary>
    /// <param name="shared">Where the payload lies already, if this process can read it there.</param>
    /// <param name="maxFloats">Longest tensor; 0 = none is expected.</param>
    public BulkTarget Place(ushort type, ReadOnlySpan<byte> header, int floats, NativeBuffer? shared, int maxFloats)
    {
        if (BulkHeader.Read(header) is not { } frame) return Refuse("tensor out of bounds");
        var piece = header.Length - BulkHeader.Bytes;
        lock (_open)
        {
            if (!_open.TryGetValue(frame.Transfer, out var message))
            {
                if (piece == 0) return Refuse("rest of a refused message");
                if (frame.HeadBytes < 1 || frame.HeadBytes > Limits.RemoteHeadBytes) return Refuse("tensor out of bounds");
                if (_open.Count >= Limits.RemoteTransfers) return Refuse("too many transfers");
                message = new Arriving(frame, type);
            }
            if (Wrong(message, frame, piece, floats, maxFloats))
            {
                _open.Remove(frame.Transfer);
                message.Release();
                return Refuse("tensor out of bounds");
            }
            _open[frame.Transfer] = message;
            if (floats == 0) return BulkTarget.Into(Nowhere, 0);
            // A tensor that came whole, in a buffer that is nothing but this tensor: it is taken as it is.
            if (floats == frame.Length && shared?.Length == floats) return BulkTarget.ByReference(Reference);
            return BulkTarget.Into(message.Tensors[frame.Tensor] ??= buffers.Rent(frame.Length), frame.First);
        }
    }

    private static bool Wrong(Arriving message, BulkHeader frame, int piece, int floats, int maxFloats)
    {
        if (frame.Tensors != message.Tensors.Length || frame.HeadBytes != message.HeadBytes || frame.Target != message.Target) return true;
        if (message.Head.Count + piece > message.HeadBytes) return true;
        if (floats == 0) return piece == 0;
        return message.Head.Count + piece < message.HeadBytes || frame.Tensor >= frame.Tensors || frame.Length < 1 || frame.Length > maxFloats
            || message.Tensors[frame.Tensor] is { } known && known.Length != frame.Length
            || frame.First != message.Arrived[frame.Tensor] || floats > frame.Length - frame.First;
    }

    private static BulkTarget Refuse(string reason) => BulkTarget.Refuse(reason);

    /// <summary>Takes a frame in that is in its place and proven. The message when that made it whole, with the ownership of its buffers.</summary>
    /// <param name="target">What <see cref="Place"/> answered, with the buffer; a reference that came is owned from here on.</param>
    /// <exception cref="ClusterException">The head is no message, or announces other tensors; the buffers are released.</exception>
    public (object Message, int Target)? Take(ReadOnlySpan<byte> header, int floats, BulkTarget target)
    {
        var frame = BulkHeader.Read(header)!.Value;
        Arriving? message;
        lock (_open)
        {
            var reference = ReferenceEquals(target.Tag, Reference) ? target.Buffer : null;
            if (!_open.TryGetValue(frame.Transfer, out message))
            {
                reference?.Dispose();
                return null;
            }
            if (reference is not null) message.Tensors[frame.Tensor] = reference;
            message.Head.AddRange(header[BulkHeader.Bytes..]);
            if (floats > 0) message.Arrived[frame.Tensor] += floats;
            if (!message.IsWhole) return null;
            _open.Remove(frame.Transfer);
        }
        try
        {
            return (TensorMessage.Join(WireTypes.Read(message.Type, message.Head.ToArray()), message.Tensors!), message.Target);
        }
        catch
        {
            message.Release();
            throw;
        }
    }

    /// <summary>The link has ended: what is not whole never will be.</summary>
    public void Release()
    {
        lock (_open)
        {
            foreach (var message in _open.Values) message.Release();
            _open.Clear();
        }
    }
}
