using System.Buffers.Binary;
using System.Text;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Remoting;

namespace Cluster.Cli.Bench.Fuzz.Targets;

/// <summary>What comes over a socket before and after the handshake.</summary>
internal static class LinkTargets
{
    private static readonly LinkHello Self = new("run-1", "worker", "worker-0", 7, new byte[] { 1, 2, 3 });

    private static readonly byte[] Nonce = new byte[HandshakeCodec.NonceBytes], Secret = "sesame"u8.ToArray();

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        Frames("link.control", Lane.Control, () => [.. SampleMessages.All().Select(static m => FrameOf(Lane.Control, m.Number, m.Body))]),
        Frames("link.heartbeats", Lane.Heartbeat, static () => [FrameOf(Lane.Heartbeat, FrameTypes.Heartbeat, HeartbeatBytes())]),
        new("link.acceptor", static () => [.. Hellos().Select(static hello => HandshakeFrames.Make(FrameTypes.Hello, hello)), HandshakeFrames.Make(FrameTypes.Proof, new byte[HandshakeCodec.ProofBytes])],
            static _ => new FuzzDecoder(Accept)) { Seal = Seals.Frames },
        new("link.proof", static () => [Dialogue()], static _ => new FuzzDecoder(Accept)) { Seal = Seals.Frames },
        new("link.dialler", static () => [HandshakeFrames.Make(FrameTypes.Challenge, Nonce), [.. HandshakeFrames.Make(FrameTypes.Challenge, Nonce), .. HandshakeFrames.Refusal("another secret")]],
            static _ => new FuzzDecoder(Dial)) { Seal = Seals.Frames, IsTyped = static _ => false },
        new("link.hello", Hellos, static _ => new FuzzDecoder(static bytes => HandshakeCodec.TryRead(bytes, out HelloMessage? _))),
        new("link.welcome", static () => [HandshakeCodec.Write(new WelcomeMessage(9, Self, [4, 5, 6]))], static _ => new FuzzDecoder(static bytes => HandshakeCodec.TryRead(bytes, out WelcomeMessage? _))),
        new("link.sentence", static () => [HandshakeCodec.WriteSentence("the secret differs\nand é")], static _ => new FuzzDecoder(static bytes =>
            HandshakeCodec.ReadSentence(bytes) is var text && text.Length <= Limits.LinkSentenceBytes && !text.Any(char.IsControl) ? true : throw new InvalidOperationException("a sentence that confuses a terminal"))),
        new("link.heartbeat", static () => [HeartbeatBytes()], static _ => new FuzzDecoder(Beat)),
        new("link.shared", static () => [new byte[SharedFrames.SegmentBytes], SharedFrames.Number(5), SharedFrames.Lent(new LentHead(1, 2, 3, 4, 5), [9])], static _ => new FuzzDecoder(static bytes =>
            SharedFrames.TryReadSegment(bytes, out var _, out var _, out var _) | SharedFrames.TryReadNumber(bytes, out var _) | SharedFrames.TryReadLent(bytes, out var _))),
        new("link.bulk", BulkFrames, static _ => new FuzzDecoder(Bulk)) { Seal = Seals.Frames, Cost = 2 },
        new("link.address", static () => Texts("127.0.0.1:7070", "[::1]:7000", "host_1.example:80", "unix:/run/cluster/c", "inproc:x"),
            static _ => new FuzzDecoder(static bytes => LinkAddress.Parse(Encoding.UTF8.GetString(bytes)) is { } address && LinkAddress.Parse(address.ToString()) == address
                ? true : throw new InvalidOperationException("an address that does not come back from its own text"))),
    ];

    public static IReadOnlyList<byte[]> Texts(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    private static FuzzTarget Frames(string name, Lane lane, Func<IReadOnlyList<byte[]>> samples) => new(name, samples, _ => new FuzzDecoder(bytes =>
    {
        var reader = new FrameReader(new MemoryChannel(bytes), lane);
        var frames = 0;
        while (true)
        {
            switch (reader.Next(out var frame, out var body, out var fault))
            {
                case FrameReader.Result.Frame:
                    if (body.Length != frame.HeadBytes || frame.Floats != 0) throw new InvalidOperationException("a frame whose body is not what it says");
                    frames++;
                    break;
                case FrameReader.Result.Fault:
                    return fault is { Sentence.Length: > 0 } ? false : throw new InvalidOperationException("a fault without a sentence");
                default:
                    return frames > 0;
            }
        }
    }))
    { Seal = Seals.Frames };

    private static byte[] FrameOf(Lane lane, ushort type, byte[] body)
    {
        var bytes = new byte[Frame.FixedBytes + body.Length + Frame.TrailerBytes];
        Frame.Write(bytes, lane, type, body);
        return bytes;
    }

    private static byte[] HeartbeatBytes()
    {
        var bytes = new byte[Heartbeat.Bytes];
        new Heartbeat(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(4), TimeSpan.FromMilliseconds(3), new DateTime(2026, 11, 22, 0, 0, 0, DateTimeKind.Utc)).Write(bytes);
        return bytes;
    }

    private static bool Beat(byte[] bytes)
    {
        if (!Heartbeat.TryRead(bytes, out var beat)) return false;
        // What is made of it, as the heartbeat thread does.
        var estimate = new RoundTripEstimate();
        estimate.Add(beat, TimeSpan.FromSeconds(10), new DateTime(2026, 11, 22, 0, 0, 6, DateTimeKind.Utc));
        return true;
    }

    private static IReadOnlyList<byte[]> Hellos() =>
        [HandshakeCodec.Write(new HelloMessage(Lane.Control, 0, Self, Nonce)), HandshakeCodec.Write(new HelloMessage(Lane.Bulk, 77, Self with { Note = default }, Nonce))];

    /// <summary>Hello and proof with the right secret, one behind the other; the acceptor is given each by itself.</summary>
    private static byte[] Dialogue()
    {
        var hello = Hellos()[0];
        return [.. HandshakeFrames.Make(FrameTypes.Hello, hello), .. HandshakeFrames.Make(FrameTypes.Proof, Proofs.OfDialler(Secret, hello, Nonce))];
    }

    /// <summary>A dialler whose acceptor's secret cannot be right: it ends with one of two typed errors, whatever it is told.</summary>
    private static bool Dial(byte[] bytes)
    {
        try
        {
            Dialler.Handshake(new MemoryChannel(bytes), new LinkAddress(LinkTransportKind.Tcp, "localhost", 1), new LinkDiallerOptions { Self = Self, Secret = Secret }, Lane.Control, 0, System.Diagnostics.Stopwatch.GetTimestamp() + 60 * System.Diagnostics.Stopwatch.Frequency);
            throw new InvalidOperationException("an acceptor was believed that cannot know the secret");
        }
        catch (Exception e) when (e is LinkRefusedException or LinkUnreachableException && e.Message.Length > 0 && !e.Message.Contains('\n', StringComparison.Ordinal))
        {
            return true;
        }
    }

    /// <summary>True when the acceptor asks for more, answers, or finds the secret proven.</summary>
    private static bool Accept(byte[] bytes)
    {
        var acceptor = new AcceptorHandshake(Self with { Role = "coordinator", Name = "coordinator" }, Secret, Nonce);
        var went = false;
        for (var at = 0; at < bytes.Length;)
        {
            var left = bytes.AsSpan(at);
            // A dialler waits for its answer: message by message where the lengths say where one ends.
            var length = left.Length >= Frame.FixedBytes ? (int)Math.Min(left.Length, Frame.FixedBytes + (long)BinaryPrimitives.ReadUInt32LittleEndian(left[8..]) + Frame.TrailerBytes) : left.Length;
            var room = acceptor.Room;
            length = Math.Min(Math.Max(1, length), room.Length);
            if (length == 0) throw new InvalidOperationException("an acceptor without room that wants more");
            left[..length].CopyTo(room);
            at += length;
            switch (acceptor.Received(length))
            {
                case HandshakeStep.Refuse refusal:
                    return refusal.Sentence.Length > 0 ? bytes.Length == HandshakeFrames.Make(FrameTypes.Proof, Nonce).Length : throw new InvalidOperationException("a refusal without a sentence");
                case HandshakeStep.Proven:
                    _ = acceptor.Welcome(1, [1]);
                    return true;
                default:
                    went = true;
                    break;
            }
        }
        return went;
    }

    private static IReadOnlyList<byte[]> BulkFrames()
    {
        var head = SampleMessages.All().First(static m => m.Number == WireTypes.NumberOf(typeof(WeightsPartHead))).Body;
        return [Whole(head, 16, [16]), Whole(head, 16, [8, 8]), [.. Whole(head, 4, [4]), .. Whole(head, 300, [100, 200])]];

        static byte[] Whole(byte[] head, int length, int[] stretches)
        {
            var frames = new List<byte>();
            var first = 0;
            foreach (var floats in stretches)
            {
                var piece = first == 0 ? head : [];
                var header = new byte[BulkHeader.Bytes + piece.Length];
                new BulkHeader(5, 0, head.Length, 0, 1, first, length).Write(header);
                piece.CopyTo(header, BulkHeader.Bytes);
                var frame = new byte[Frame.FixedBytes + header.Length + 4 * floats + Frame.TrailerBytes];
                new Frame(Lane.Bulk, WireTypes.NumberOf(typeof(WeightsPartHead)), header.Length, floats).WriteFixed(frame);
                header.CopyTo(frame, Frame.FixedBytes);
                frames.AddRange(frame);
                first += floats;
            }
            return Seals.Frames([.. frames]);
        }
    }

    /// <summary>Frames off a connection into messages, as a node's link does it.</summary>
    private static bool Bulk(byte[] bytes)
    {
        using var buffers = new BufferPools();
        var arrivals = new Arrivals(buffers);
        var handler = new BulkHandler(arrivals);
        try
        {
            using var reader = new BulkFrameReader(new MemoryChannel(bytes), null!, handler, borrower: null, static _ => { });
            var (fault, _) = reader.ReadToEnd();
            return fault is null && handler.Messages > 0;
        }
        finally
        {
            arrivals.Release();
        }
    }

    private sealed class BulkHandler(Arrivals arrivals) : ILinkHandler
    {
        /// <summary>Longest tensor of a run: more is refused before any memory is taken.</summary>
        private const int MaxFloats = 4096;

        public int Messages { get; private set; }

        public void Control(ILink link, ushort type, ReadOnlySpan<byte> body) { }

        public BulkTarget Bulk(ILink link, in BulkOffer offer) => arrivals.Place(offer.Type, offer.Header, offer.Floats, offer.Shared, MaxFloats);

        public void BulkArrived(ILink link, in BulkArrival arrival)
        {
            if (arrivals.Take(arrival.Header, arrival.Floats, arrival.Target) is not var (message, _)) return;
            Messages++;
            TensorMessage.Release(message);
        }

        public void BulkLost(ILink link, BulkTarget target) { }

        public void Closed(ILink link, LinkClosure closure) { }
    }
}
