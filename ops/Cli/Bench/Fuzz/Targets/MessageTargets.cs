using System.Buffers.Binary;
using System.Text;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Remoting;

namespace Cluster.Cli.Bench.Fuzz.Targets;

/// <summary>Messages between nodes, after their frames.</summary>
internal static class MessageTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        // The first two bytes choose the type; a sample of each.
        new("message", static () => [.. SampleMessages.All().Select(static m => Numbered(m.Number, m.Body))], static _ => new FuzzDecoder(static bytes =>
        {
            if (bytes.Length < 2) return false;
            var number = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
            var message = WireTypes.Read(number, bytes.AsSpan(2));
            // What was taken can be said again, and means the same.
            var again = WireTypes.Write(message);
            return again.AsSpan().SequenceEqual(WireTypes.Write(WireTypes.Read(number, again))) ? true : throw new InvalidOperationException($"a {message.GetType().Name} that does not come back");
        }))
        { Cost = 2 },
        new("message.join-note", static () => [WireTypes.Write(new JoinNote("1.0", "127.0.0.1:7000", "host", 5))], static _ => new FuzzDecoder(static bytes => WireTypes.Read<JoinNote>(bytes) is not null)),
        new("message.options", static () => [Encoding.UTF8.GetBytes("model=resnet18\nbatch=512\nseed=7\ndata=cifar10\nstem=cifar"), .. OptionTexts.Of(new RunOptions()).Select(static o => Encoding.UTF8.GetBytes($"{o.Key}={o.Text}"))],
            static _ => new FuzzDecoder(static bytes => OptionTexts.Read([.. Encoding.UTF8.GetString(bytes).Split('\n').Select(static line => line.Split('=', 2)).Select(static pair => new OptionText(pair[0], pair[^1]))]) is not null)),
        new("message.arrivals", ArrivalsSamples, static _ => new FuzzDecoder(Arrive)) { Cost = 2 },
    ];

    private static byte[] Numbered(ushort number, byte[] body)
    {
        var bytes = new byte[2 + body.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, number);
        body.CopyTo(bytes, 2);
        return bytes;
    }

    /// <summary>Each record: type (2), floats (2), length of the header (2), header. Every head that there is, with the tensors that it announces.</summary>
    private static IReadOnlyList<byte[]> ArrivalsSamples()
    {
        var samples = new List<byte[]>();
        foreach (var (number, body) in SampleMessages.All().Where(static m => WireTypes.IsHead(m.Number)))
        {
            for (byte tensors = 1; tensors <= 3; tensors++)
            {
                var records = new List<byte>();
                for (byte tensor = 0; tensor < tensors; tensor++)
                {
                    var piece = tensor == 0 ? body : [];
                    var header = new byte[BulkHeader.Bytes + piece.Length];
                    new BulkHeader(9, 0, body.Length, tensor, tensors, 0, 4).Write(header);
                    piece.CopyTo(header, BulkHeader.Bytes);
                    var start = new byte[6];
                    BinaryPrimitives.WriteUInt16LittleEndian(start, number);
                    BinaryPrimitives.WriteUInt16LittleEndian(start.AsSpan(2), 4);
                    BinaryPrimitives.WriteUInt16LittleEndian(start.AsSpan(4), (ushort)header.Length);
                    records.AddRange([.. start, .. header]);
                }
                samples.Add([.. records]);
            }
        }
        // Those whose number of tensors fits their head; the others are kept by nobody.
        return [.. samples.Where(static sample =>
        {
            try
            {
                return Arrive(sample);
            }
            catch (ClusterException)
            {
                return false;
            }
        })];
    }

    private static bool Arrive(byte[] bytes)
    {
        using var buffers = new BufferPools();
        var arrivals = new Arrivals(buffers);
        var whole = 0;
        try
        {
            for (var at = 0; at + 6 <= bytes.Length;)
            {
                var type = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));
                int floats = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at + 2));
                var length = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at + 4)), bytes.Length - at - 6);
                var header = bytes.AsSpan(at + 6, length);
                at += 6 + length;
                var target = arrivals.Place(type, header, floats, shared: null, maxFloats: 4096);
                if (target.Refusal is not null) continue;
                if (target.First < 0 || target.First + floats > target.Buffer!.Length && floats > 0) throw new InvalidOperationException("a payload is to lie outside its buffer");
                if (arrivals.Take(header, floats, target) is not var (message, _)) continue;
                whole++;
                TensorMessage.Release(message);
            }
            if (arrivals.Count > Limits.RemoteTransfers) throw new InvalidOperationException("more messages are open than the limit");
            return whole > 0;
        }
        finally
        {
            arrivals.Release();
        }
    }
}
