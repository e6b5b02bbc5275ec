using System.Buffers.Binary;
using System.Text;

namespace Cluster.Coordinator.Monitor.TensorBoard;

/// <summary>How far event files go: the last step of each kind of record, and the last wall time. 0 = none.</summary>
public sealed record EventFileMarks(long Train, long Test, long Histogram, double WallTime)
{
    public static readonly EventFileMarks None = new(0, 0, 0, 0);

    public EventFileMarks With(EventFileMarks other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new EventFileMarks(Math.Max(Train, other.Train), Math.Max(Test, other.Test), Math.Max(Histogram, other.Histogram), Math.Max(WallTime, other.WallTime));
    }
}

/// <summary>Reads event files that earlier processes of a run have left, so that no step is written twice.</summary>
public static class EventFileScan
{
    public const string TrainPrefix = "train/", TestPrefix = "test/", HistogramPrefix = "weights/";

    /// <summary>Of this name pattern are TensorBoard's files.</summary>
    public const string Pattern = "events.out.tfevents.*";

    /// <summary>Longest record that is looked at: a histogram has some 25 KiB.</summary>
    private const int MaxRecord = 1 << 20;

    /// <summary>All files of a folder; none when there is no such folder.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static EventFileMarks OfFolder(string folder)
    {
        var marks = EventFileMarks.None;
        if (!Directory.Exists(folder)) return marks;
        foreach (var path in Directory.EnumerateFiles(folder, Pattern))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1 << 16);
            marks = marks.With(Of(file));
        }
        return marks;
    }

    /// <summary>Goes over the records up to the first that is torn or damaged: what lies behind it nobody reads.</summary>
    public static EventFileMarks Of(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var marks = EventFileMarks.None;
        var header = new byte[EventRecord.HeaderBytes];
        var body = new byte[4096];
        while (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length)
        {
            var length = BinaryPrimitives.ReadUInt64LittleEndian(header);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(sizeof(ulong))) != EventRecord.MaskedCrc(header.AsSpan(0, sizeof(ulong))) || length > MaxRecord) break;
            var whole = (int)length + EventRecord.FooterBytes;
            if (body.Length < whole) body = new byte[whole];
            if (file.ReadAtLeast(body.AsSpan(0, whole), whole, throwOnEndOfStream: false) < whole) break;
            var message = body.AsSpan(0, (int)length);
            if (BinaryPrimitives.ReadUInt32LittleEndian(body.AsSpan((int)length)) != EventRecord.MaskedCrc(message)) break;
            marks = marks.With(MarksOf(message));
        }
        return marks;
    }

    private static EventFileMarks MarksOf(ReadOnlySpan<byte> message)
    {
        var (wall, step) = (0.0, 0L);
        ReadOnlySpan<byte> summary = default;
        while (!message.IsEmpty && Protobuf.TryRead(ref message, out var field, out var number, out var content))
        {
            if (field == EventRecord.WallTime) wall = BitConverter.UInt64BitsToDouble(number);
            else if (field == EventRecord.Step) step = (long)number;
            else if (field == EventRecord.Summary) summary = content;
        }
        // All values of a record are of one kind.
        var tag = FirstTag(summary);
        return new EventFileMarks(tag.StartsWith(TrainPrefix, StringComparison.Ordinal) ? step : 0, tag.StartsWith(TestPrefix, StringComparison.Ordinal) ? step : 0, tag.StartsWith(HistogramPrefix, StringComparison.Ordinal) ? step : 0, double.IsFinite(wall) ? wall : 0);
    }

    private static string FirstTag(ReadOnlySpan<byte> summary)
    {
        if (!Protobuf.TryRead(ref summary, out _, out _, out var value)) return "";
        return Protobuf.TryRead(ref value, out var field, out _, out var tag) && field == EventRecord.Tag ? Encoding.UTF8.GetString(tag) : "";
    }
}
