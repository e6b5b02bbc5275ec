using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Measures the memory of the whole process, so nothing else runs beside it.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

[Collection(Alone.Name)]
[Trait("Clock", "wall")]
public sealed class CrowdSpecs
{
    public static TheoryData<LinkTransportKind> Sockets => DoorSpecs.Sockets;

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Thousand_half_open_connections_disturb_no_legal_peer_and_hold_no_memory(LinkTransportKind kind) => Crowd(kind, null, DoorSpecs.HelloFrame());

    /// <summary>What OpenSSL holds is not in the managed heap; the bound is on ours.</summary>
    [Fact]
    public void Thousand_half_open_tls_connections_disturb_no_legal_peer_and_hold_no_memory() => Crowd(LinkTransportKind.Tcp, Pki.Shared, [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3, .. new byte[40]]);

    private static void Crowd(LinkTransportKind kind, LinkTls? tls, byte[] beginning)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        using var far = new Recorder();
        using var near = new Recorder();
        using var listener = DoorSpecs.Listen(kind, refusals, far, tls: tls);
        Links.Connect(listener.Address, Peers.Dialler("early") with { Tls = tls }, near);
        _ = (near.Link, far.Link);
        var crowd = new List<Socket>();
        try
        {
            // What the first ones bring (pools, the sockets' engine) is there once; what is measured comes with the next thousand.
            long before = 0;
            for (var i = -1000; i < 1000; i++)
            {
                if (i == 0) before = GC.GetTotalMemory(forceFullCollection: true);
                crowd.Add(DoorSpecs.Dial(listener));
                if (i % 3 == 0) crowd[^1].Send(beginning.AsSpan(0, Math.Abs(i) % 40));   // some begin a hello
                if (crowd.Count % 100 != 0) continue;
                near.Link.SendControl(1, BitConverter.GetBytes(i));
                Assert.Equal(i, BitConverter.ToInt32(far.NextControl().Body));
            }
            Assert.InRange(listener.HalfOpen, 1, Limits.LinkHalfOpen);
            // 1,000 sockets on this side of the test are a few hundred KiB themselves.
            Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 4 << 20);
            // A newcomer gets in through the crowd.
            using var late = new Recorder();
            var e = Record.Exception(() => Links.Connect(listener.Address, Peers.Dialler("late") with { Tls = tls }, late));
            Assert.Null(e);
            Assert.Null(near.Closure);
            late.Link.Close(LinkEnd.Dismissed, "done");
            late.WaitForClosed();
        }
        finally
        {
            foreach (var socket in crowd) socket.Dispose();
        }
        near.Link.Close(LinkEnd.Dismissed, "done");
        near.WaitForClosed();
    }
}
