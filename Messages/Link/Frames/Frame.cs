using System.Buffers.Binary;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>Which of a link's connections a frame belongs to. A frame on the wrong one is refused.</summary>
internal enum Lane : byte
{
    Handshake = 0,
    Control = 1,
    Bulk = 2,
    Heartbeat = 3,
}

/// <summary>The transport's own frame types.</summary>
internal static class FrameTypes
{
    public const ushort Hello = 0xFF01, Challenge = 0xFF02, Proof = 0xFF03, Welcome = 0xFF04, Refused = 0xFF05;
    public const ushort Goodbye = 0xFF10, Heartbeat = 0xFF11;

    /// <summary>About memory that both processes map, see <see cref="SharedFrames"/>.</summary>
    public const ushort Segment = 0xFF20, Forget = 0xFF21, Lent = 0xFF22, Mapped = 0xFF23, Returned = 0xFF24;
}

/// <summary>
/// A frame on the wire, little-endian: 20 fixed bytes (magic, version, lane, type, length of the head, number of floats, CRC32C of
/// these 16 bytes), the head (a control message's body, a bulk frame's header), the floats, and a CRC32C over everything before it.
/// The fixed part has a sum of its own because its lengths are believed before the rest is there.
/// </summary>
internal readonly record struct Frame(Lane Lane, ushort Type, int HeadBytes, int Floats)
{
    public const int FixedBytes = 20, TrailerBytes = 4, SummedBytes = FixedBytes - TrailerBytes;
    private const uint Magic = 0x4B_4E_4C_43;   // "CLNK"

    public long PayloadBytes => (long)Floats * sizeof(float);

    public long TotalBytes => FixedBytes + HeadBytes + PayloadBytes + TrailerBytes;

    /// <summary>Writes the 20 fixed bytes.</summary>
    public void WriteFixed(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        to[4] = LinkWire.Version;
        to[5] = (byte)Lane;
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], Type);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], HeadBytes);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], Floats);
        BinaryPrimitives.WriteUInt32LittleEndian(to[SummedBytes..], Crc32C.Of(to[..SummedBytes]));
    }

    /// <summary>Writes a whole frame without floats. Returns its length, <see cref="TotalBytes"/>.</summary>
    public static int Write(Span<byte> to, Lane lane, ushort type, ReadOnlySpan<byte> head)
    {
        new Frame(lane, type, head.Length, 0).WriteFixed(to);
        head.CopyTo(to[FixedBytes..]);
        var summed = FixedBytes + head.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(to[summed..], Crc32C.Of(to[..summed]));
        return summed + TrailerBytes;
    }

    /// <summary>True if the last four bytes are the sum of all before them.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt32LittleEndian(frame[^TrailerBytes..]) == Crc32C.Of(frame[..^TrailerBytes]);

    /// <summary>Reads the 20 fixed bytes and checks them against the limits of a lane.</summary>
    /// <param name="from">At least 20 bytes.</param>
    /// <param name="lane">The connection's lane.</param>
    /// <param name="frame">The frame, if it may be read.</param>
    /// <param name="maxHeadBytes">Limit of the head in place of the lane's: an acceptor's answer may be longer than what the unproven may send.</param>
    /// <returns>Null if the frame may be read; else what is wrong with it.</returns>
    public static FrameFault? Read(ReadOnlySpan<byte> from, Lane lane, out Frame frame, int? maxHeadBytes = null)
    {
        frame = default;
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(from);
        if (magic != Magic) return new(LinkEnd.BadMagic, $"the {Name(lane)} connection carried bytes that are no frame (0x{magic:x8} in place of the magic number)");
        if (from[4] != LinkWire.Version) return new(LinkEnd.BadVersion, $"the peer speaks version {from[4]} of the link protocol, this node version {LinkWire.Version}: run the same release on both");
        var sum = BinaryPrimitives.ReadUInt32LittleEndian(from[SummedBytes..]);
        if (sum != Crc32C.Of(from[..SummedBytes])) return new(LinkEnd.BadChecksum, $"the CRC32C of a frame's fixed part differs on the {Name(lane)} connection");
        var found = new Frame((Lane)from[5], BinaryPrimitives.ReadUInt16LittleEndian(from[6..]), BinaryPrimitives.ReadInt32LittleEndian(from[8..]), BinaryPrimitives.ReadInt32LittleEndian(from[12..]));
        if (found.Lane != lane) return new(LinkEnd.Protocol, $"a frame for lane {from[5]} came over the {Name(lane)} connection");
        var (head, floats) = LimitsOf(lane);
        head = maxHeadBytes ?? head;
        // Read as unsigned: a length of 2^31 and more is large, not negative.
        if ((uint)found.HeadBytes > head) return new(LinkEnd.Oversize, $"a frame of {(uint)found.HeadBytes} bytes before its payload came over the {Name(lane)} connection, at most {head} are allowed");
        if ((uint)found.Floats > floats) return new(LinkEnd.Oversize, $"a frame of {(uint)found.Floats} floats came over the {Name(lane)} connection, at most {floats} are allowed");
        frame = found;
        return null;
    }

    /// <summary>Reads the fixed part of a handshake frame of any other version: it is laid out in the same way in all of them.</summary>
    /// <param name="from">At least 20 bytes.</param>
    /// <returns>False: it is none, or longer than an answer may be.</returns>
    public static bool TryReadOther(ReadOnlySpan<byte> from, int maxHeadBytes, out byte version, out Frame frame)
    {
        version = from[4];
        frame = new Frame((Lane)from[5], BinaryPrimitives.ReadUInt16LittleEndian(from[6..]), BinaryPrimitives.ReadInt32LittleEndian(from[8..]), BinaryPrimitives.ReadInt32LittleEndian(from[12..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(from) == Magic && version != LinkWire.Version
            && BinaryPrimitives.ReadUInt32LittleEndian(from[SummedBytes..]) == Crc32C.Of(from[..SummedBytes])
            && frame is { Lane: Lane.Handshake, Floats: 0 } && (uint)frame.HeadBytes <= maxHeadBytes;
    }

    /// <summary>Makes a whole frame without floats one of another version.</summary>
    public static void Stamp(Span<byte> frame, byte version)
    {
        frame[4] = version;
        BinaryPrimitives.WriteUInt32LittleEndian(frame[SummedBytes..], Crc32C.Of(frame[..SummedBytes]));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[^TrailerBytes..], Crc32C.Of(frame[..^TrailerBytes]));
    }

    /// <summary>What somebody may send: bytes before the payload, and floats.</summary>
    private static (int Head, int Floats) LimitsOf(Lane lane) => lane switch
    {
        Lane.Control => (Limits.LinkControlBytes, 0),
        Lane.Bulk => (Limits.LinkHeaderBytes, Limits.LinkBulkFloats),
        Lane.Heartbeat => (Heartbeat.Bytes, 0),
        _ => (Limits.LinkHelloBytes, 0),
    };

    public static string Name(Lane lane) => lane switch { Lane.Control => "control", Lane.Bulk => "bulk", Lane.Heartbeat => "heartbeat", _ => "new" };

    /// <summary>A frame whose sum over everything differs.</summary>
    public FrameFault Damaged() => new(LinkEnd.BadChecksum, $"the CRC32C of a {Name(Lane)} frame of {TotalBytes} bytes differs: it was damaged on its way");
}

/// <summary>Why a frame was refused.</summary>
internal sealed record FrameFault(LinkEnd End, string Sentence);
