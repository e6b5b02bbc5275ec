using System.Buffers;
using System.Buffers.Binary;

namespace Cluster.Coordinator.Monitor.TensorBoard;

/// <summary>The few forms of the protocol buffer encoding that event files need (protobuf.dev/programming-guides/encoding). Field numbers are below 16.</summary>
internal static class Protobuf
{
    private const int VariableLength = 0, Fixed64 = 1, Delimited = 2, Fixed32 = 5;

    public static void WriteNumber(IBufferWriter<byte> into, int field, ulong value)
    {
        WriteKey(into, field, VariableLength);
        WriteVariable(into, value);
    }

    public static void WriteDouble(IBufferWriter<byte> into, int field, double value)
    {
        WriteKey(into, field, Fixed64);
        BinaryPrimitives.WriteDoubleLittleEndian(into.GetSpan(sizeof(double)), value);
        into.Advance(sizeof(double));
    }

    public static void WriteFloat(IBufferWriter<byte> into, int field, float value)
    {
        WriteKey(into, field, Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(into.GetSpan(sizeof(float)), value);
        into.Advance(sizeof(float));
    }

    public static void WriteBytes(IBufferWriter<byte> into, int field, ReadOnlySpan<byte> bytes)
    {
        WriteLength(into, field, bytes.Length);
        into.Write(bytes);
    }

    /// <summary>Begins a field whose <paramref name="length"/> bytes the caller writes.</summary>
    public static void WriteLength(IBufferWriter<byte> into, int field, int length)
    {
        WriteKey(into, field, Delimited);
        WriteVariable(into, (ulong)length);
    }

    /// <summary>A repeated double, packed.</summary>
    public static void WriteDoubles(IBufferWriter<byte> into, int field, ReadOnlySpan<double> values)
    {
        WriteLength(into, field, values.Length * sizeof(double));
        var span = into.GetSpan(values.Length * sizeof(double));
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteDoubleLittleEndian(span[(i * sizeof(double))..], values[i]);
        into.Advance(values.Length * sizeof(double));
    }

    /// <summary>Bytes of a whole delimited field: key, length, content.</summary>
    public static int SizeOfBytes(int field, int length) => SizeOfVariable((ulong)(field << 3)) + SizeOfVariable((ulong)length) + length;

    /// <summary>Reads a field's key and, of a delimited one, its content; of a number, its value; of the fixed ones, their bits.</summary>
    /// <param name="rest">Moves behind the field.</param>
    /// <returns>False when the bytes are no field.</returns>
    public static bool TryRead(scoped ref ReadOnlySpan<byte> rest, out int field, out ulong number, out ReadOnlySpan<byte> content)
    {
        (field, number) = (0, 0);
        content = default;
        if (!TryReadVariable(ref rest, out var key) || key >> 3 is 0 or > int.MaxValue) return false;
        field = (int)(key >> 3);
        switch ((int)(key & 7))
        {
            case VariableLength:
                return TryReadVariable(ref rest, out number);
            case Fixed64 when rest.Length >= sizeof(ulong):
                number = BinaryPrimitives.ReadUInt64LittleEndian(rest);
                rest = rest[sizeof(ulong)..];
                return true;
            case Fixed32 when rest.Length >= sizeof(uint):
                number = BinaryPrimitives.ReadUInt32LittleEndian(rest);
                rest = rest[sizeof(uint)..];
                return true;
            case Delimited when TryReadVariable(ref rest, out var length) && length <= (ulong)rest.Length:
                content = rest[..(int)length];
                rest = rest[(int)length..];
                return true;
            default:
                return false;
        }
    }

    private static bool TryReadVariable(scoped ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && i < rest.Length; i++)
        {
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] >= 0x80) continue;
            rest = rest[(i + 1)..];
            return true;
        }
        return false;
    }

    private static void WriteKey(IBufferWriter<byte> into, int field, int kind) => WriteVariable(into, (ulong)((field << 3) | kind));

    private static void WriteVariable(IBufferWriter<byte> into, ulong value)
    {
        var span = into.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7) span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        into.Advance(length);
    }

    private static int SizeOfVariable(ulong value)
    {
        var size = 1;
        for (; value >= 0x80; value >>= 7) size++;
        return size;
    }
}
