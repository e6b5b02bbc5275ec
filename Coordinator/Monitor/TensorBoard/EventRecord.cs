using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Cluster.Coordinator.Monitor.TensorBoard;

/// <summary>
/// Records of a TensorBoard event file, as TensorFlow's record_writer.cc and event.proto define them: length (u64), masked
/// CRC-32C of the length, an Event message, masked CRC-32C of the message; all little-endian. Pure.
/// </summary>
public static class EventRecord
{
    /// <summary>First record of every file: the version of the format.</summary>
    public const string FileVersion = "brain.Event:2";

    /// <summary>Length and its checksum.</summary>
    internal const int HeaderBytes = sizeof(ulong) + sizeof(uint);

    /// <summary>Checksum behind the message.</summary>
    internal const int FooterBytes = sizeof(uint);

    // Event: wall_time = 1, step = 2, file_version = 3, summary = 5. Summary: value = 1. Value: tag = 1, simple_value = 2, histo = 5.
    internal const int WallTime = 1, Step = 2, Version = 3, Summary = 5, Value = 1, Tag = 1, SimpleValue = 2, Histogram = 5;

    /// <summary>Appends the first record of a file.</summary>
    public static void WriteVersion(ArrayBufferWriter<byte> into, DateTimeOffset at) => Write(into, message =>
    {
        Protobuf.WriteDouble(message, WallTime, SecondsOf(at));
        Protobuf.WriteBytes(message, Version, Encoding.ASCII.GetBytes(FileVersion));
    });

    /// <summary>Appends scalars of one step as one record. What is not finite is written as it is: TensorBoard marks it.</summary>
    /// <param name="tags">As UTF-8.</param>
    /// <param name="values">One per tag.</param>
    public static void WriteScalars(ArrayBufferWriter<byte> into, DateTimeOffset at, long step, ReadOnlySpan<byte[]> tags, ReadOnlySpan<double> values)
    {
        ArgumentNullException.ThrowIfNull(into);
        var size = 0;
        for (var i = 0; i < tags.Length; i++) size += Protobuf.SizeOfBytes(Value, SizeOfScalar(tags[i]));
        var start = Begin(into);
        Protobuf.WriteDouble(into, WallTime, SecondsOf(at));
        Protobuf.WriteNumber(into, Step, (ulong)step);
        Protobuf.WriteLength(into, Summary, size);
        for (var i = 0; i < tags.Length; i++)
        {
            Protobuf.WriteLength(into, Value, SizeOfScalar(tags[i]));
            Protobuf.WriteBytes(into, Tag, tags[i]);
            Protobuf.WriteFloat(into, SimpleValue, (float)values[i]);
        }
        End(into, start);
    }

    /// <summary>Appends one histogram as a record.</summary>
    public static void WriteHistogram(ArrayBufferWriter<byte> into, DateTimeOffset at, long step, string tag, HistogramCounts counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        var histogram = new ArrayBufferWriter<byte>(4096);
        counts.Write(histogram);
        var name = Encoding.UTF8.GetBytes(tag);
        var value = Protobuf.SizeOfBytes(Tag, name.Length) + Protobuf.SizeOfBytes(Histogram, histogram.WrittenCount);
        var start = Begin(into);
        Protobuf.WriteDouble(into, WallTime, SecondsOf(at));
        Protobuf.WriteNumber(into, Step, (ulong)step);
        Protobuf.WriteLength(into, Summary, Protobuf.SizeOfBytes(Value, value));
        Protobuf.WriteLength(into, Value, value);
        Protobuf.WriteBytes(into, Tag, name);
        Protobuf.WriteBytes(into, Histogram, histogram.WrittenSpan);
        End(into, start);
    }

    /// <summary>A checksum as records hold it: rotated and shifted, since checksums over data that holds checksums are weak.</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8u;
    }

    private static double SecondsOf(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).TotalSeconds;

    private static int SizeOfScalar(byte[] tag) => Protobuf.SizeOfBytes(Tag, tag.Length) + 1 + sizeof(float);

    private static void Write(ArrayBufferWriter<byte> into, Action<ArrayBufferWriter<byte>> message)
    {
        var start = Begin(into);
        message(into);
        End(into, start);
    }

    /// <summary>Leaves room for the header.</summary>
    /// <returns>Where the record begins.</returns>
    private static int Begin(ArrayBufferWriter<byte> into)
    {
        var start = into.WrittenCount;
        into.GetSpan(HeaderBytes)[..HeaderBytes].Clear();
        into.Advance(HeaderBytes);
        return start;
    }

    /// <summary>Fills the header in, now that the length is known, and appends the checksum.</summary>
    private static void End(ArrayBufferWriter<byte> into, int start)
    {
        // What was written lies behind a read-only view of the writer's own array.
        var record = System.Runtime.InteropServices.MemoryMarshal.AsMemory(into.WrittenMemory)[start..].Span;
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)(record.Length - HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record[sizeof(ulong)..], MaskedCrc(record[..sizeof(ulong)]));
        BinaryPrimitives.WriteUInt32LittleEndian(into.GetSpan(FooterBytes), MaskedCrc(record[HeaderBytes..]));
        into.Advance(FooterBytes);
    }
}
