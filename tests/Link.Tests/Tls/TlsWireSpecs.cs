using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>What goes over the wire under TLS, and what becomes of a link when its process dies or its bytes are changed.</summary>
[Trait("Clock", "wall")]
public sealed class TlsWireSpecs
{
    [Fact]
    public void Nothing_of_what_is_said_can_be_read_on_the_way()
    {
        var marks = new[] { "a control message of weight"u8.ToArray(), "a header of weight"u8.ToArray(), [.. Enumerable.Repeat(BitConverter.GetBytes(1234.5678f), 8).SelectMany(b => b)], "worker-1"u8.ToArray(), Peers.Secret, "CLNK"u8.ToArray() };
        foreach (var tls in new[] { null, Pki.Shared })
        {
            using var relay = new Relay();
            using var far = new Recorder();
            using var near = new Recorder();
            using var listener = Links.Listen(LinkAddress.Parse("127.0.0.1:0"), Peers.Acceptor(_ => LinkVerdict.Accept(far)) with { Tls = tls });
            relay.To((IPEndPoint)listener.Address.Resolve());
            var link = Links.Connect(relay.Address, Peers.Dialler("worker-1") with { Tls = tls }, near);
            using var tensor = NativeBuffer.Allocate(50_000);
            tensor.Span.Fill(1234.5678f);
            link.SendControl(1, marks[0]);
            link.SendBulk(2, marks[1], tensor, 0, tensor.Length);
            far.NextControl();
            far.NextBulk().Dispose();
            link.Close(LinkEnd.Finished, "done");
            near.WaitForClosed();
            far.WaitForClosed();
            var seen = relay.Seen();
            Assert.True(seen.Length > 200_000);
            // Without TLS all is there but the secret, so this looks in the right place.
            foreach (var mark in marks) Assert.Equal(tls is null && mark != Peers.Secret, seen.AsSpan().IndexOf(mark) >= 0);
        }
    }

    [Fact]
    public void Changed_byte_under_tls_ends_the_link_and_delivers_nothing()
    {
        using var relay = new Relay { ChangeAt = 30_000 };
        using var far = new Recorder();
        using var near = new Recorder();
        using var listener = Links.Listen(LinkAddress.Parse("127.0.0.1:0"), Peers.Acceptor(_ => LinkVerdict.Accept(far)) with { Tls = Pki.Shared });
        relay.To((IPEndPoint)listener.Address.Resolve());
        var link = Links.Connect(relay.Address, Peers.Dialler("worker-1") with { Tls = Pki.Shared }, near);
        using var tensor = NativeBuffer.Allocate(500_000);
        link.SendBulk(2, [], tensor, 0, tensor.Length);
        Assert.Equal(LinkEnd.Lost, far.WaitForClosed().End);
        Assert.Equal(0, far.WaitingBulk);
        far.AssertNothingLeaked();
        near.WaitForClosed();
    }

    [Theory]
    [InlineData(Lane.Control)]
    [InlineData(Lane.Bulk)]
    [InlineData(Lane.Heartbeat)]
    public void Member_that_sends_no_frames_under_tls_is_told_so(object lane)
    {
        using var peer = RawPeer.Connect(LinkTransportKind.Tcp, Pki.Shared);
        var noise = new byte[5000];
        new Random(5).NextBytes(noise);
        peer.Write((Lane)lane, noise);
        var closure = peer.Far.WaitForClosed();
        Assert.Equal((LinkEnd.BadMagic, false), (closure.End, closure.ByPeer));
        Assert.Equal((closure.End, closure.Sentence), peer.Goodbye());
    }

    [Fact]
    public void Handshake_messages_tensors_and_heartbeats_need_no_pool_thread()
    {
        using var child = PeerProcess.Start(LinkAddress.Parse("127.0.0.1:1"), "starved");
        Assert.Equal(StarvedPool.Success, child.ReadOutput());
    }

    [Fact]
    public void Killed_peer_is_lost_and_its_half_tensor_goes_back()
    {
        using var pki = new Pki();
        using var far = new Recorder();
        using var listener = Listen(pki, far, TimeSpan.FromMinutes(1));
        pki.Make(new Subject("worker"), "worker");
        using var child = PeerProcess.Start(listener.Address, "peer-tls", pki.Folder);
        for (var i = 0; i < 5; i++) far.NextBulk().Dispose();
        child.Kill();
        var closure = far.WaitForClosed();
        Assert.Equal((LinkEnd.Lost, false), (closure.End, closure.ByPeer));
        Assert.Contains("child is gone", closure.Sentence);
        far.AssertNothingLeaked();
    }

    [Fact]
    public void Stopped_peer_is_silent()
    {
        using var pki = new Pki();
        using var far = new Recorder();
        // Long enough for a machine that is busy with other things: only a stop is so long.
        using var listener = Listen(pki, far, TimeSpan.FromSeconds(5));
        pki.Make(new Subject("worker"), "worker");
        using var child = PeerProcess.Start(listener.Address, "peer-tls", pki.Folder);
        far.NextBulk().Dispose();
        child.Signal("STOP");
        var closure = far.WaitForClosed();
        Assert.Equal(LinkEnd.Silent, closure.End);
        far.AssertNothingLeaked();
        child.Signal("CONT");
    }

    private static ILinkListener Listen(Pki pki, Recorder far, TimeSpan silence) =>
        Links.Listen(LinkAddress.Parse("127.0.0.1:0"), Peers.Acceptor(_ => LinkVerdict.Accept(far), LinkOptions.Default with { Silence = silence }) with { Tls = pki.Load(new Subject("worker")) });

    /// <summary>Passes connections on and keeps what came by; may change one byte of what the dialler of the first connection, the bulk one, sends.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<Socket> _sockets = [];
        private readonly MemoryStream _seen = new();
        private readonly CountdownEvent _open = new(1);

        public Relay() => _listener.Start();

        public int ChangeAt { get; init; } = -1;

        public LinkAddress Address => LinkAddress.Parse(_listener.LocalEndpoint.ToString()!);

        public void To(IPEndPoint target) => StartThread(() =>
        {
            for (var connection = 0; connection < 3; connection++)
            {
                var near = _listener.AcceptSocket();
                var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
                far.Connect(target);
                lock (_sockets) _sockets.AddRange([near, far]);
                var change = connection == 0 ? ChangeAt : -1;
                StartThread(() => Pass(near, far, change));
                StartThread(() => Pass(far, near, -1));
            }
        });

        /// <summary>Everything, when all connections have ended.</summary>
        public byte[] Seen()
        {
            _open.Signal();
            Assert.True(_open.Wait(Recorder.Patience));
            lock (_seen) return _seen.ToArray();
        }

        private void StartThread(Action work)
        {
            _open.AddCount();
            new Thread(() =>
            {
                try
                {
                    work();
                }
                catch (SocketException)
                {
                    // The end of a connection.
                }
                catch (ObjectDisposedException)
                {
                    // The end of the spec.
                }
                _open.Signal();
            })
            { IsBackground = true }.Start();
        }

        private void Pass(Socket from, Socket to, int changeAt)
        {
            var bytes = new byte[16 * 1024];
            long passed = 0;
            for (int got; (got = from.Receive(bytes)) > 0; passed += got)
            {
                if (changeAt >= passed && changeAt < passed + got) bytes[changeAt - passed] ^= 4;
                lock (_seen) _seen.Write(bytes, 0, got);
                for (var sent = 0; sent < got;) sent += to.Send(bytes, sent, got - sent, SocketFlags.None);
            }
            to.Shutdown(SocketShutdown.Send);
        }

        public void Dispose()
        {
            _listener.Stop();
            lock (_sockets)
            {
                foreach (var socket in _sockets) socket.Dispose();
            }
        }
    }
}
