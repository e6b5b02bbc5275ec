using System.Collections.Concurrent;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Strangers at a TLS door: noise, slowness and crowds cost them their connection, and legal peers nothing.</summary>
[Trait("Clock", "wall")]
public sealed class TlsStrangerSpecs : IDisposable
{
    private readonly BlockingCollection<LinkRefusal> _refusals = [];

    public void Dispose() => _refusals.Dispose();

    private ILinkListener Listen(Recorder? far = null, TimeSpan? limit = null) => Links.Listen(
        Peers.Address(LinkTransportKind.Tcp),
        Peers.Acceptor(_ => far is null ? LinkVerdict.Refuse("nobody") : LinkVerdict.Accept(far), LinkOptions.Default with { HandshakeLimit = limit ?? LinkOptions.Default.HandshakeLimit }) with
        {
            Tls = Pki.Shared,
            Refused = _refusals.Add,
        });

    /// <summary>What a dialler of the run-time's making sends first.</summary>
    private static byte[] ClientHello()
    {
        using var first = new FirstWrite();
        using var tls = new System.Net.Security.SslStream(first);
        Assert.ThrowsAny<Exception>(() => tls.AuthenticateAsClient("127.0.0.1"));
        return first.Bytes;
    }

    [Fact]
    public void Random_bytes_are_refused_also_where_they_look_like_tls()
    {
        using var listener = Listen();
        var random = new Random(3);
        for (var i = 0; i < 60; i++)
        {
            using var socket = DoorSpecs.Dial(listener);
            var bytes = new byte[20 + random.Next(3000)];
            random.NextBytes(bytes);
            // Every other one as the record of a handshake, of the length that it says or of one that never comes.
            if (i % 2 == 1) new byte[] { 0x16, 3, 3, (byte)((bytes.Length - 5) >> 8), (byte)(bytes.Length - 5) }.CopyTo(bytes, 0);
            socket.Send(bytes);
            socket.Shutdown(SocketShutdown.Send);
            var refusal = DoorSpecs.Next(_refusals);
            Assert.True(refusal.Reason is LinkRefusalReason.Garbage or LinkRefusalReason.Abandoned or LinkRefusalReason.Certificate, $"{i}: {refusal}");
            Assert.Null(refusal.Hello);
        }
    }

    [Fact]
    public void Changed_client_hello_ends_its_own_connection_alone()
    {
        using var far = new Recorder();
        using var near = new Recorder();
        using var listener = Listen(far, TimeSpan.FromMilliseconds(400));
        var link = Links.Connect(listener.Address, Peers.Dialler("worker-1") with { Tls = Pki.Shared }, near);
        var hello = ClientHello();
        var random = new Random(7);
        for (var i = 0; i < 100; i++)
        {
            using var socket = DoorSpecs.Dial(listener);
            var changed = hello.ToArray();
            for (var flips = 0; flips <= i % 4; flips++) changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            socket.Send(changed);
            socket.Shutdown(SocketShutdown.Send);
            Assert.Null(DoorSpecs.Next(_refusals).Hello);
            link.SendControl(1, BitConverter.GetBytes(i));
            Assert.Equal(i, BitConverter.ToInt32(far.NextControl().Body));
        }
        Assert.Null(near.Closure);
        link.Close(LinkEnd.Dismissed, "done");
        near.WaitForClosed();
        far.WaitForClosed();
    }

    [Fact]
    public void Slow_loris_is_turned_away_at_the_deadline()
    {
        using var listener = Listen(limit: TimeSpan.FromMilliseconds(300));
        using var socket = DoorSpecs.Dial(listener);
        var hello = ClientHello();
        LinkRefusal? refusal = null;
        for (var i = 0; i < hello.Length - 1 && !_refusals.TryTake(out refusal, millisecondsTimeout: 5); i++)
        {
            try
            {
                socket.Send(hello, i, 1, SocketFlags.None);
            }
            catch (SocketException)
            {
                break;
            }
        }
        Assert.Equal(LinkRefusalReason.Deadline, (refusal ?? DoorSpecs.Next(_refusals)).Reason);
    }

    [Fact]
    public void Mute_one_after_its_client_hello_is_turned_away_at_the_deadline()
    {
        using var listener = Listen(limit: TimeSpan.FromMilliseconds(300));
        using var socket = DoorSpecs.Dial(listener);
        socket.Send(ClientHello());
        Assert.True(socket.Receive(new byte[8192]) > 0, "the door must have answered");
        Assert.Equal(LinkRefusalReason.Deadline, DoorSpecs.Next(_refusals).Reason);
    }

    [Fact]
    public void Bytes_without_end_are_cut_off_before_the_handshake_is_finished()
    {
        using var listener = Listen();
        using var socket = DoorSpecs.Dial(listener);
        // Handshake records that begin a message of 16 MiB and go on with it.
        var record = new byte[5 + 8192];
        new byte[] { 0x16, 3, 1, 0x20, 0, 1, 0xFF, 0xFF, 0xFF }.CopyTo(record, 0);
        var sent = 0;
        try
        {
            for (; sent < 64 << 20; sent += record.Length) socket.Send(record);
        }
        catch (SocketException)
        {
            // Closed by the door, as it should be.
        }
        Assert.Null(DoorSpecs.Next(_refusals).Hello);
        Assert.InRange(sent, 0, (64 << 20) - 1);
    }

    [Fact]
    public void Dialler_gives_a_mute_acceptor_up_at_the_deadline()
    {
        using var mute = new TcpListener(System.Net.IPAddress.Loopback, 0);
        mute.Start();
        using var near = new Recorder();
        var options = Peers.Dialler("worker-1", LinkOptions.Default with { HandshakeLimit = TimeSpan.FromMilliseconds(200) }) with { Tls = Pki.Shared };
        var e = Assert.Throws<LinkUnreachableException>(() => Links.Connect(LinkAddress.Parse($"{mute.LocalEndpoint}"), options, near));
        Assert.Contains("did not finish the TLS handshake in time", e.Message);
    }

    [Fact]
    public void Dialler_finds_noise_where_it_expects_tls()
    {
        using var noise = new TcpListener(System.Net.IPAddress.Loopback, 0);
        noise.Start();
        var served = Task.Factory.StartNew(
            () =>
            {
                using var accepted = noise.AcceptSocket();
                accepted.Receive(new byte[8192]);
                accepted.Send("HTTP/1.1 400 Bad Request\r\n\r\n"u8);
                accepted.Shutdown(SocketShutdown.Send);
                accepted.Receive(new byte[8192]);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        using var near = new Recorder();
        var e = Assert.Throws<LinkUnreachableException>(() => Links.Connect(LinkAddress.Parse($"{noise.LocalEndpoint}"), Peers.Dialler("worker-1") with { Tls = Pki.Shared }, near));
        Assert.Contains("is no cluster node of this release", e.Message);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Null(Record.Exception(served.Wait));
    }

    /// <summary>Keeps what is written and has nothing to read.</summary>
    private sealed class FirstWrite : MemoryStream
    {
        public byte[] Bytes => ToArray();

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override int Read(Span<byte> buffer) => 0;
    }
}
