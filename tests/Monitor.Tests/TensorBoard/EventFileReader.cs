using System.Text;

namespace Cluster.Coordinator.Monitor.Tests;

/// <summary>A value of a summary as a reader gets it.</summary>
internal sealed record ReadValue(double WallTime, long Step, string Tag, double Scalar, ReadHistogram? Histogram);

internal sealed record ReadHistogram(double Least, double Most, double Count, double Sum, double SumOfSquares, double[] Limits, double[] Counts);

/// <summary>
/// Reads event files from the format's definition alone, sharing nothing with the code that writes them: framing of
/// record_writer.cc, CRC-32C bit by bit, messages by the protocol buffer encoding.
/// </summary>
internal sealed class EventFileReader
{
    public List<ReadValue> Values { get; } = [];

    public List<string> Versions { get; } = [];

    /// <summary>Bytes behind the last whole record.</summary>
    public int Rest { get; private set; }

    public static EventFileReader Of(byte[] file)
    {
        var reader = new EventFileReader();
        var at = 0;
        while (file.Length - at >= 16)
        {
            var length = BitConverter.ToUInt64(file, at);
            if (Masked(file, at, 8) != BitConverter.ToUInt32(file, at + 8)) throw new InvalidDataException($"length at {at} does not fit its checksum");
            if ((ulong)(file.Length - at - 16) < length) break;
            if (Masked(file, at + 12, (int)length) != BitConverter.ToUInt32(file, at + 12 + (int)length)) throw new InvalidDataException($"record at {at} does not fit its checksum");
            reader.Event(file.AsSpan(at + 12, (int)length));
            at += 16 + (int)length;
        }
        reader.Rest = file.Length - at;
        return reader;
    }

    public static EventFileReader OfFolder(string folder)
    {
        var all = new EventFileReader();
        foreach (var path in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            var one = Of(File.ReadAllBytes(path));
            all.Values.AddRange(one.Values);
            all.Versions.AddRange(one.Versions);
        }
        return all;
    }

    /// <summary>The steps of one tag, in the order of the file.</summary>
    public long[] StepsOf(string tag) => [.. Values.Where(v => v.Tag == tag).Select(static v => v.Step)];

    private void Event(ReadOnlySpan<byte> message)
    {
        var (wall, step) = (0.0, 0L);
        foreach (var field in Fields(message))
        {
            if (field.Number == 1) wall = BitConverter.ToDouble(field.Bytes);
            else if (field.Number == 2) step = (long)field.Value;
            else if (field.Number == 3) Versions.Add(Encoding.UTF8.GetString(field.Bytes));
            else if (field.Number == 5)
                foreach (var value in Fields(field.Bytes)) Values.Add(ValueOf(value.Bytes, wall, step));
        }
    }

    private static ReadValue ValueOf(byte[] message, double wall, long step)
    {
        var (tag, scalar, histogram) = ("", double.NaN, (ReadHistogram?)null);
        foreach (var field in Fields(message))
        {
            if (field.Number == 1) tag = Encoding.UTF8.GetString(field.Bytes);
            else if (field.Number == 2) scalar = BitConverter.ToSingle(field.Bytes);
            else if (field.Number == 5)
            {
                var fields = Fields(field.Bytes).ToDictionary(static f => f.Number, static f => f.Bytes);
                double One(int number) => BitConverter.ToDouble(fields[number]);
                double[] Many(int number) => [.. fields[number].Chunk(8).Select(static c => BitConverter.ToDouble(c))];
                histogram = new ReadHistogram(One(1), One(2), One(3), One(4), One(5), Many(6), Many(7));
            }
        }
        return new ReadValue(wall, step, tag, scalar, histogram);
    }

    private static List<(int Number, ulong Value, byte[] Bytes)> Fields(ReadOnlySpan<byte> message)
    {
        var fields = new List<(int, ulong, byte[])>();
        var at = 0;
        while (at < message.Length)
        {
            var key = Variable(message, ref at);
            var (value, bytes) = (0UL, Array.Empty<byte>());
            switch (key & 7)
            {
                case 0:
                    value = Variable(message, ref at);
                    break;
                case 1:
                    bytes = message.Slice(at, 8).ToArray();
                    at += 8;
                    break;
                case 2:
                    var length = (int)Variable(message, ref at);
                    bytes = message.Slice(at, length).ToArray();
                    at += length;
                    break;
                case 5:
                    bytes = message.Slice(at, 4).ToArray();
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {key & 7}");
            }
            fields.Add(((int)(key >> 3), value, bytes));
        }
        return fields;
    }

    private static ulong Variable(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 127) << shift;
            if (next < 128) return value;
        }
    }

    private static uint Masked(byte[] bytes, int start, int length)
    {
        var crc = 0xffffffffu;
        for (var i = start; i < start + length; i++)
        {
            crc ^= bytes[i];
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
        }
        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8u);
    }
}
