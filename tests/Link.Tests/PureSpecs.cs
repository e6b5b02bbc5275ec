using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>The parts that decide, without a socket: frame, handshake codec, address, silence.</summary>
public sealed class PureSpecs
{
    [Fact]
    public void Every_legal_frame_head_reads_back_and_every_flipped_bit_is_refused()
    {
        var random = new Random(2);
        for (var round = 0; round < 500; round++)
        {
            var lane = round % 2 == 0 ? Lane.Control : Lane.Bulk;
            var frame = lane == Lane.Control
                ? new Frame(lane, (ushort)random.Next(0x10000), random.Next(Limits.LinkControlBytes + 1), 0)
                : new Frame(lane, (ushort)random.Next(0x10000), random.Next(Limits.LinkHeaderBytes + 1), random.Next(Limits.LinkBulkFloats + 1));
            var bytes = new byte[Frame.FixedBytes];
            frame.WriteFixed(bytes);
            Assert.Null(Frame.Read(bytes, lane, out var read));
            Assert.Equal(frame, read);
            for (var bit = 0; bit < 8 * bytes.Length; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.NotNull(Frame.Read(bytes, lane, out _));
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void Frame_has_its_pinned_bytes()
    {
        var bytes = new byte[27];
        Assert.Equal(27, Frame.Write(bytes, Lane.Control, 0x0203, [1, 2, 3]));
        Assert.Equal("434c4e4b" + "02" + "01" + "0302" + "03000000" + "00000000", Convert.ToHexStringLower(bytes.AsSpan(0, 16)));
        Assert.Equal(Crc32C.Of(bytes.AsSpan(0, 16)), BitConverter.ToUInt32(bytes, 16));
        Assert.Equal("010203", Convert.ToHexStringLower(bytes.AsSpan(20, 3)));
        Assert.Equal(Crc32C.Of(bytes.AsSpan(0, 23)), BitConverter.ToUInt32(bytes, 23));
    }

    [Fact]
    public void Handshake_messages_read_back_and_damaged_ones_never_throw()
    {
        var hello = new HelloMessage(Lane.Control, 77, new LinkHello("run-ü", "worker", "worker-1", -5, new byte[] { 1, 2 }), new byte[32]);
        var bytes = HandshakeCodec.Write(hello);
        Assert.True(HandshakeCodec.TryRead(bytes, out HelloMessage? read));
        Assert.Equal((hello.Lane, hello.Session, hello.Self.RunId, hello.Self.Name, hello.Self.Incarnation), (read.Lane, read.Session, read.Self.RunId, read.Self.Name, read.Self.Incarnation));
        Assert.Equal(hello.Self.Note.ToArray(), read.Self.Note.ToArray());
        var random = new Random(4);
        for (var length = 0; length < bytes.Length; length++) Assert.False(HandshakeCodec.TryRead(bytes.AsSpan(0, length), out HelloMessage? _));
        Assert.False(HandshakeCodec.TryRead([.. bytes, 0], out HelloMessage? _));
        for (var round = 0; round < 5000; round++)
        {
            var damaged = bytes.ToArray();
            for (var i = 0; i < 1 + random.Next(4); i++) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            HandshakeCodec.TryRead(damaged, out HelloMessage? _);
            HandshakeCodec.TryRead(damaged, out WelcomeMessage? _);
        }
    }

    [Fact]
    public void Name_that_would_confuse_a_terminal_is_no_hello()
    {
        var bytes = HandshakeCodec.Write(new HelloMessage(Lane.Bulk, 0, new LinkHello("r", "worker", "worker\u001b[2J", 1), new byte[32]));
        Assert.False(HandshakeCodec.TryRead(bytes, out HelloMessage? _));
        Assert.Throws<ArgumentException>(() => HandshakeCodec.CheckTravels(new LinkHello("r", "worker", new string('x', Limits.LinkNameBytes + 1), 1)));
    }

    [Fact]
    public void Longest_hello_fits_its_limit()
    {
        var name = new string('x', Limits.LinkNameBytes);
        var bytes = HandshakeCodec.Write(new HelloMessage(Lane.Bulk, ulong.MaxValue, new LinkHello(name, name, name, long.MaxValue, new byte[Limits.LinkNoteBytes]), new byte[32]) { Release = name });
        Assert.InRange(bytes.Length, 1, Limits.LinkHelloBytes);
    }

    [Fact]
    public void Sentence_is_cut_at_a_character()
    {
        var bytes = HandshakeCodec.WriteSentence(new string('ü', Limits.LinkSentenceBytes));
        Assert.Equal(new string('ü', Limits.LinkSentenceBytes / 2), HandshakeCodec.ReadSentence(bytes));
        Assert.Equal(new string('ü', (Limits.LinkSentenceBytes - 1) / 2), HandshakeCodec.ReadSentence(HandshakeCodec.WriteSentence("x" + new string('ü', Limits.LinkSentenceBytes)))[1..]);
    }

    [Fact]
    public void Proof_depends_on_everything_that_was_said()
    {
        byte[] secret = [1, 2, 3], hello = [4, 5], challenge = [6];
        var proof = Proofs.OfDialler(secret, hello, challenge);
        Assert.True(Proofs.Equal(proof, Proofs.OfDialler(secret, hello, challenge)));
        Assert.False(Proofs.Equal(proof, Proofs.OfDialler([1, 2, 4], hello, challenge)));
        Assert.False(Proofs.Equal(proof, Proofs.OfDialler(secret, [4], [5, 6])));
        Assert.False(Proofs.Equal(proof, Proofs.OfAcceptor(secret, hello, challenge, [])));
    }

    [Theory]
    [InlineData("127.0.0.1:7070", LinkTransportKind.Tcp, "127.0.0.1", 7070)]
    [InlineData("my_host-1.lan:1", LinkTransportKind.Tcp, "my_host-1.lan", 1)]
    [InlineData("[::1]:65535", LinkTransportKind.Tcp, "::1", 65535)]
    [InlineData("unix:/run/x.sock", LinkTransportKind.Unix, "/run/x.sock", 0)]
    [InlineData("inproc:a b", LinkTransportKind.InProcess, "a b", 0)]
    public void Address_reads_back(string text, LinkTransportKind kind, string name, int port)
    {
        var address = LinkAddress.Parse(text);
        Assert.Equal(new LinkAddress(kind, name, port), address);
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData(":80")]
    [InlineData("localhost:")]
    [InlineData("localhost:65536")]
    [InlineData("localhost:-1")]
    [InlineData("localhost:http")]
    [InlineData("localhost:99999999999999999999")]
    [InlineData("::1:80")]
    [InlineData("a b:80")]
    [InlineData("unix:")]
    [InlineData("unix:relative/x")]
    [InlineData("unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("inproc:")]
    public void Impossible_address_is_one_line_for_the_user(string text) =>
        Assert.DoesNotContain('\n', Assert.Throws<UserMistakeException>(() => LinkAddress.Parse(text)).Message);

    [Fact]
    public void Port_zero_cannot_be_dialled_and_an_unknown_host_is_named()
    {
        using var near = new Recorder();
        Assert.Contains("port 0", Assert.Throws<UserMistakeException>(() => Links.Connect(LinkAddress.Parse("127.0.0.1:0"), Peers.Dialler("w"), near)).Message);
        Assert.Contains("no-such-host.invalid", Assert.Throws<UserMistakeException>(() => Links.Connect(LinkAddress.Parse("no-such-host.invalid:1"), Peers.Dialler("w"), near)).Message);
    }

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(50), Limit = TimeSpan.FromMilliseconds(500);

    private static AttentionClock Look(AttentionClock clock, double milliseconds) => clock.Look(TimeSpan.FromMilliseconds(milliseconds), Every, SilenceDetector.PauseTolerance);

    [Fact]
    public void Silence_detector_accuses_after_the_limit_and_not_before()
    {
        var clock = AttentionClock.StartingAt(TimeSpan.Zero);
        var peer = SilenceDetector.Heard(clock);
        for (var now = 50; now <= 450; now += 50)
        {
            clock = Look(clock, now);
            Assert.False(peer.IsSilent(clock, Limit));
        }
        clock = Look(clock, 500);
        Assert.True(peer.IsSilent(clock, Limit));
        Assert.Equal(Limit, peer.SilentFor(clock));
        Assert.False(SilenceDetector.Heard(clock).IsSilent(clock, Limit));
    }

    [Theory]
    [InlineData(151)]
    [InlineData(600)]
    [InlineData(3_600_000)]
    public void Silence_detector_does_not_count_its_own_pause(double pause)
    {
        var clock = Look(AttentionClock.StartingAt(TimeSpan.Zero), 50);
        var peer = SilenceDetector.Heard(clock);
        clock = Look(clock, 50 + pause);
        Assert.Equal(TimeSpan.FromMilliseconds(pause), clock.MissedLast);
        Assert.Equal(TimeSpan.Zero, peer.SilentFor(clock));
        // From here on it listens again: a peer that is really gone is found after the full limit.
        for (var i = 1; i < 10; i++) clock = Look(clock, 50 + pause + (50 * i));
        Assert.False(peer.IsSilent(clock, Limit));
        Assert.True(peer.IsSilent(Look(clock, 50 + pause + 500), Limit));
    }

    [Fact]
    public void Round_trip_estimate_takes_the_fastest_heartbeat_and_its_offset()
    {
        var estimate = new RoundTripEstimate();
        var wall = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        static TimeSpan Ms(double value) => TimeSpan.FromMilliseconds(value);
        Assert.Null(estimate.Add(new Heartbeat(Ms(5), TimeSpan.Zero, TimeSpan.Zero, wall), Ms(100), wall));
        Assert.Null(estimate.RoundTrip);
        // Sent at 100, held for 20, back at 124: 4 ms on the way; the peer's clock is 10 ms ahead.
        Assert.Equal(Ms(4), estimate.Add(new Heartbeat(Ms(5), Ms(100), Ms(20), wall + Ms(10 + 22)), Ms(124), wall + Ms(24)));
        Assert.Equal(Ms(9), estimate.Add(new Heartbeat(Ms(5), Ms(200), Ms(20), wall + Ms(500)), Ms(229), wall));
        Assert.Equal((Ms(4), Ms(10)), (estimate.RoundTrip!.Value, estimate.Offset!.Value));
        // Numbers that no honest peer sends.
        Assert.Null(estimate.Add(new Heartbeat(Ms(5), Ms(300), Ms(-20), wall), Ms(301), wall));
        Assert.Null(estimate.Add(new Heartbeat(Ms(5), Ms(900), Ms(0), wall), Ms(301), wall));
    }
}
