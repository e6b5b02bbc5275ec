using System.Buffers.Binary;
using System.Text;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>What these tests look at of a span. Ids are lower-case hex, as W3C writes them.</summary>
/// <param name="Parent">Empty for a root.</param>
/// <param name="Links">(trace, span) of each link.</param>
/// <param name="Start">Nanoseconds since 1970.</param>
/// <param name="End">Nanoseconds since 1970.</param>
/// <param name="Resource">String attributes of the process that sent it.</param>
internal sealed record OtlpSpan(
    string Trace, string Id, string Parent, string Name, IReadOnlyList<(string Trace, string Span)> Links, ulong Start, ulong End,
    IReadOnlyDictionary<string, string> Resource)
{
    /// <summary>
    /// Reads an ExportTraceServiceRequest (opentelemetry-proto, trace/v1/trace.proto):
    /// resource_spans = 1 { resource = 1, scope_spans = 2 { spans = 2 } }.
    /// </summary>
    public static IEnumerable<OtlpSpan> FromRequest(byte[] request)
    {
        foreach (var resourceSpans in ProtoField.Of(request).Where(static f => f.Number == 1))
        {
            var fields = ProtoField.Of(resourceSpans.Bytes);
            var resource = fields.Where(static f => f.Number == 1).SelectMany(static f => ProtoField.Of(f.Bytes)).Where(static f => f.Number == 1)
                .Select(static attribute => TextAttribute(attribute.Bytes)).OfType<KeyValuePair<string, string>>().ToDictionary();
            foreach (var span in fields.Where(static f => f.Number == 2).SelectMany(static f => ProtoField.Of(f.Bytes)).Where(static f => f.Number == 2))
                yield return FromSpan(span.Bytes, resource);
        }
    }

    private static OtlpSpan FromSpan(ReadOnlyMemory<byte> bytes, IReadOnlyDictionary<string, string> resource)
    {
        var fields = ProtoField.Of(bytes);
        string Hex(int number) => Convert.ToHexStringLower(fields.FirstOrDefault(f => f.Number == number).Bytes.Span);
        var links = fields.Where(static f => f.Number == 13).Select(static f => ProtoField.Of(f.Bytes))
            .Select(static link => (Convert.ToHexStringLower(link.First(static f => f.Number == 1).Bytes.Span), Convert.ToHexStringLower(link.First(static f => f.Number == 2).Bytes.Span)));
        return new OtlpSpan(
            Hex(1), Hex(2), Hex(4), Encoding.UTF8.GetString(fields.First(static f => f.Number == 5).Bytes.Span), [.. links],
            fields.First(static f => f.Number == 7).Value, fields.First(static f => f.Number == 8).Value, resource);
    }

    /// <summary>KeyValue: key = 1, value = 2 { string_value = 1 }; null for values of other types.</summary>
    private static KeyValuePair<string, string>? TextAttribute(ReadOnlyMemory<byte> bytes)
    {
        var fields = ProtoField.Of(bytes);
        var value = ProtoField.Of(fields.First(static f => f.Number == 2).Bytes);
        if (value is not [{ Number: 1 } text]) return null;
        return new(Encoding.UTF8.GetString(fields.First(static f => f.Number == 1).Bytes.Span), Encoding.UTF8.GetString(text.Bytes.Span));
    }
}

/// <summary>One field of a protobuf message (https://protobuf.dev/programming-guides/encoding/): a number, or bytes.</summary>
internal readonly record struct ProtoField(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)
{
    /// <exception cref="InvalidDataException">A wire type that protobuf does not have, or a field beyond the end.</exception>
    public static List<ProtoField> Of(ReadOnlyMemory<byte> message)
    {
        var fields = new List<ProtoField>();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message.Span, ref at);
            var number = checked((int)(tag >> 3));
            switch (tag & 7)
            {
                case 0:
                    fields.Add(new ProtoField(number, Varint(message.Span, ref at), default));
                    break;
                case 1:
                    fields.Add(new ProtoField(number, BinaryPrimitives.ReadUInt64LittleEndian(message.Span[at..]), default));
                    at += 8;
                    break;
                case 2:
                    var length = checked((int)Varint(message.Span, ref at));
                    fields.Add(new ProtoField(number, 0, message.Slice(at, length)));
                    at += length;
                    break;
                case 5:
                    fields.Add(new ProtoField(number, BinaryPrimitives.ReadUInt32LittleEndian(message.Span[at..]), default));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7} at byte {at}");
            }
        }
        return fields;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        for (ulong value = 0, shift = 0; shift < 64; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << (int)shift;
            if (next < 0x80) return value;
        }
        throw new InvalidDataException($"a number of more than ten bytes before byte {at}");
    }
}
