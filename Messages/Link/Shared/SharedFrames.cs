using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Cluster.Link;

/// <summary>
/// Heads of the frames about shared memory, little-endian. On the bulk lane, in order with the tensors: <see cref="FrameTypes.Segment"/>
/// (a descriptor comes with it), <see cref="FrameTypes.Forget"/> and <see cref="FrameTypes.Lent"/>. On the control lane, back:
/// <see cref="FrameTypes.Mapped"/> and <see cref="FrameTypes.Returned"/>, each with one number.
/// </summary>
internal static class SharedFrames
{
    public const int SegmentBytes = sizeof(long) + SharedMemory.TagBytes, NumberBytes = sizeof(ulong);

    /// <summary>Fixed part of a lent frame's head; the sender's own header follows.</summary>
    public const int LentBytes = (2 * sizeof(ulong)) + sizeof(long) + sizeof(int) + sizeof(ushort);

    public static byte[] Segment(SharedBlock block)
    {
        var head = new byte[SegmentBytes];
        BinaryPrimitives.WriteInt64LittleEndian(head, block.Bytes);
        SharedMemory.WriteTag(block.Id, head.AsSpan(sizeof(long)));
        return head;
    }

    /// <summary>Id, bytes of the file, and the tag at its end; the tag begins with the id.</summary>
    public static bool TryReadSegment(ReadOnlySpan<byte> head, out ulong id, out long bytes, out ReadOnlySpan<byte> tag)
    {
        id = 0;
        bytes = 0;
        tag = default;
        if (head.Length != SegmentBytes) return false;
        bytes = BinaryPrimitives.ReadInt64LittleEndian(head);
        tag = head[sizeof(long)..];
        id = BinaryPrimitives.ReadUInt64LittleEndian(tag);
        return true;
    }

    public static byte[] Number(ulong number)
    {
        var head = new byte[NumberBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(head, number);
        return head;
    }

    public static bool TryReadNumber(ReadOnlySpan<byte> head, out ulong number)
    {
        number = head.Length == NumberBytes ? BinaryPrimitives.ReadUInt64LittleEndian(head) : 0;
        return head.Length == NumberBytes;
    }

    public static byte[] Lent(in LentHead lent, ReadOnlySpan<byte> header)
    {
        var head = new byte[LentBytes + header.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(head, lent.Segment);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(8), lent.Ticket);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), lent.First);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(24), lent.Floats);
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(28), lent.Type);
        header.CopyTo(head.AsSpan(LentBytes));
        return head;
    }

    public static bool TryReadLent(ReadOnlySpan<byte> head, [NotNullWhen(true)] out LentHead? lent)
    {
        lent = head.Length < LentBytes
            ? null
            : new LentHead(
                BinaryPrimitives.ReadUInt64LittleEndian(head), BinaryPrimitives.ReadUInt64LittleEndian(head[8..]), BinaryPrimitives.ReadInt64LittleEndian(head[16..]),
                BinaryPrimitives.ReadInt32LittleEndian(head[24..]), BinaryPrimitives.ReadUInt16LittleEndian(head[28..]));
        return lent is not null;
    }
}

/// <summary>A tensor that is handed over where it lies.</summary>
/// <param name="Segment">Id of the sender's segment.</param>
/// <param name="Ticket">Comes back when the receiver has let go of the tensor.</param>
/// <param name="First">Index of the first float.</param>
/// <param name="Floats">How many.</param>
/// <param name="Type">The sender's frame type.</param>
internal readonly record struct LentHead(ulong Segment, ulong Ticket, long First, int Floats, ushort Type);
