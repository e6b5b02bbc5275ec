using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>What every transport promises. One suite, all transports; over Unix sockets with and without shared memory.</summary>
/// <param name="isShared">Tensors lie in memory that the peer can map, and both sides allow it.</param>
/// <param name="isTls">Under TLS.</param>
public abstract partial class LinkContract(LinkTransportKind kind, bool isShared = false, bool isTls = false)
{
    private readonly LinkTls? _tls = isTls ? Pki.Shared : null;


    private readonly IBufferMemory _memory = isShared ? SharedMemory.Instance : PrivateMemory.Instance;

    private Peers Connect(Recorder? near = null, Recorder? far = null, LinkOptions? options = null) =>
        Peers.Connect(kind, near, far, (options ?? LinkOptions.Default) with { AllowSharedMemory = isShared }, _tls);

    private LinkListenerOptions Acceptor(Func<LinkHello, LinkVerdict> admit, LinkOptions? options = null) => Peers.Acceptor(admit, options) with { Tls = _tls };

    private LinkDiallerOptions Dialler(string name) => Peers.Dialler(name) with { Tls = _tls };

    private NativeBuffer Numbers(int length, int seed)
    {
        var buffer = NativeBuffer.Allocate(length, _memory);
        for (var i = 0; i < length; i++) buffer.Span[i] = i + (seed * 0.25f);
        return buffer;
    }

    [Fact]
    public void Both_ends_know_each_other_and_the_dialler_gets_the_greeting()
    {
        using var peers = Connect();
        Assert.Equal("coordinator", peers.Near.Link.Peer.Name);
        Assert.Equal(Peers.Run, peers.Near.Link.Peer.RunId);
        Assert.Equal([1, 2, 3], peers.Near.Link.Greeting.ToArray());
        Assert.Equal("worker-1", peers.Far.Link.Peer.Name);
        Assert.Equal([7, 8, 9], peers.Far.Link.Peer.Note.ToArray());
    }

    [Fact]
    public void Control_messages_arrive_whole_and_in_order_both_ways()
    {
        using var peers = Connect();
        const int count = 2000;
        for (var i = 0; i < count; i++)
        {
            Assert.True(peers.Near.Link.SendControl((ushort)i, BitConverter.GetBytes(i)));
            Assert.True(peers.Far.Link.SendControl((ushort)i, BitConverter.GetBytes(-i)));
        }
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(((ushort)i, i), Read(peers.Far.NextControl()));
            Assert.Equal(((ushort)i, -i), Read(peers.Near.NextControl()));
        }
        static (ushort, int) Read((ushort Type, byte[] Body) message) => (message.Type, BitConverter.ToInt32(message.Body));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(3_000_001)]
    public void Bulk_frame_arrives_in_the_memory_that_the_handler_named(int floats)
    {
        using var peers = Connect();
        using var tensor = Numbers(floats + 3, 1);
        Assert.True(peers.Near.Link.SendBulk(42, "header"u8, tensor, 2, floats));
        using var arrival = peers.Far.NextBulk();
        Assert.Equal(42, arrival.Type);
        Assert.Equal("header"u8.ToArray(), arrival.Header);
        Assert.True(tensor.Span.Slice(2, floats).SequenceEqual(arrival.Values), string.Create(CultureInfo.InvariantCulture, $"{floats} floats differ"));
    }
}

[Trait("Clock", "wall")]
public sealed class UnixLinkSpecs() : LinkContract(LinkTransportKind.Unix);

[Trait("Clock", "wall")]
public sealed class SharedMemoryLinkSpecs() : LinkContract(LinkTransportKind.Unix, isShared: true);

[Trait("Clock", "wall")]
public sealed class TcpLinkSpecs() : LinkContract(LinkTransportKind.Tcp);

[Trait("Clock", "wall")]
public sealed class TlsLinkSpecs() : LinkContract(LinkTransportKind.Tcp, isTls: true);

[Trait("Clock", "wall")]
public sealed class InProcessLinkSpecs() : LinkContract(LinkTransportKind.InProcess);
