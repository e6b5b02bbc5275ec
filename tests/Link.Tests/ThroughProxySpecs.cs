using Cluster.Chaos.Proxy;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Links over a network that damages bytes: whatever it does, what is delivered is what was sent, in order, and damage ends the link.</summary>
[Trait("Clock", "wall")]
public sealed class ThroughProxySpecs
{
    private const int Messages = 12, Floats = 20_000;

    public static TheoryData<LinkTransportKind, DamageKind> Damages => new MatrixTheoryData<LinkTransportKind, DamageKind>([LinkTransportKind.Unix, LinkTransportKind.Tcp], Enum.GetValues<DamageKind>());

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Damaged_bulk_frame_is_noticed_and_nothing_wrong_is_delivered(LinkTransportKind kind, DamageKind damage)
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            using var peers = new Detour(kind, seed);
            var armed = await peers.Proxy.DamageAsync(damage, 8_192);
            peers.Send();
            Assert.Equal(damage, (await armed.WaitAsync(Recorder.Patience)).Kind);
            var closure = peers.Far.WaitForClosed();
            Assert.False(closure.ByPeer, closure.ToString());
            Assert.True(closure.End is LinkEnd.BadChecksum or LinkEnd.BadMagic or LinkEnd.BadVersion or LinkEnd.Oversize or LinkEnd.Protocol, $"seed {seed}: {closure}");
            var delivered = peers.AssertDeliveredAsSent();
            Assert.True(delivered < Messages, $"seed {seed}: all messages came although one was damaged");
            Assert.Equal(closure.End, peers.Near.WaitForClosed().End);
            peers.Far.AssertNothingLeaked();
        }
    }

    [Fact]
    public async Task Damage_everywhere_at_any_rate_delivers_a_prefix_of_what_was_sent()
    {
        var (whole, broken) = (0, 0);
        for (ulong seed = 1; seed <= 30; seed++)
        {
            using var peers = new Detour(LinkTransportKind.Unix, seed);
            var every = 30_000L << (int)(seed % 8);
            var faults = new FlowFaults { CorruptEvery = seed % 3 == 0 ? every : 0, DuplicateEvery = seed % 3 == 1 ? every : 0, ReorderEvery = seed % 3 == 2 ? every : 0 };
            await Task.WhenAll(peers.Proxy.SetAsync(Flow.Out, faults), peers.Proxy.SetAsync(Flow.In, faults));
            peers.Send();
            peers.Near.Link.Close(LinkEnd.Finished, "all is sent");
            peers.Far.WaitForClosed();
            if (peers.AssertDeliveredAsSent() == Messages) whole++;
            else broken++;
            peers.Far.AssertNothingLeaked();
        }
        Assert.True(whole > 0 && broken > 0, $"{whole} runs came through whole, {broken} did not: the rates should give both");
    }

    [Fact]
    public async Task Hole_shorter_than_the_silence_allowed_delays_and_loses_nothing_and_a_longer_one_ends_the_link()
    {
        using var peers = new Detour(LinkTransportKind.Tcp, 1, LinkOptions.Default with { Silence = TimeSpan.FromSeconds(10) });
        var hole = new FlowFaults { IsBlackHole = true };
        await Task.WhenAll(peers.Proxy.SetAsync(Flow.Out, hole), peers.Proxy.SetAsync(Flow.In, hole));
        peers.Send();
        await Task.WhenAll(peers.Proxy.SetAsync(Flow.Out, FlowFaults.None), peers.Proxy.SetAsync(Flow.In, FlowFaults.None));
        Assert.Equal(Messages, peers.AssertDeliveredAsSent(Messages));

        using var cut = new Detour(LinkTransportKind.Tcp, 1);
        await cut.Proxy.SetAsync(Flow.Out, hole);
        Assert.Equal((LinkEnd.Silent, false), (cut.Far.WaitForClosed().End, cut.Far.Closure!.ByPeer));
        Assert.Equal((LinkEnd.Silent, true), (cut.Near.WaitForClosed().End, cut.Near.Closure!.ByPeer));
    }

    /// <summary>A dialler, a proxy, and an acceptor; messages with payloads that tell which one they are.</summary>
    private sealed class Detour : IDisposable
    {
        private readonly ILinkListener _listener;
        private readonly string? _path;

        public Detour(LinkTransportKind kind, ulong seed, LinkOptions? options = null)
        {
            options = (options ?? LinkOptions.Default) with { AllowSharedMemory = false };
            _listener = Links.Listen(Peers.Address(kind), Peers.Acceptor(_ => LinkVerdict.Accept(Far), options));
            var listen = Peers.Address(kind);
            _path = kind == LinkTransportKind.Unix ? listen.Name : null;
            Proxy = FaultProxy.Start([new ProxyRoute("far", listen.Resolve(), _listener.Address.Resolve())], seed);
            var through = kind == LinkTransportKind.Unix ? listen : LinkAddress.Parse(Proxy.Routes[0].Listen.ToString()!);
            Links.Connect(through, Peers.Dialler("worker-1", options), Near);
            _ = (Near.Link, Far.Link);
        }

        public FaultProxy Proxy { get; }

        public Recorder Near { get; } = new();

        public Recorder Far { get; } = new();

        /// <summary>Until the link ends, if it does.</summary>
        public void Send()
        {
            using var buffer = NativeBuffer.Allocate(Messages * Floats);
            for (var i = 0; i < Messages * Floats; i++) buffer.Span[i] = i;
            for (var m = 0; m < Messages; m++)
                if (!Near.Link.SendBulk((ushort)(m + 1), [(byte)m], buffer, m * Floats, Floats)) return;
        }

        /// <summary>Looks at what has come, or waits for so many.</summary>
        /// <returns>How many there were: all right, and in order.</returns>
        public int AssertDeliveredAsSent(int awaited = 0)
        {
            var count = 0;
            for (; count < awaited || Far.WaitingBulk > 0; count++)
            {
                using var arrival = Far.NextBulk();
                Assert.Equal(((ushort)(count + 1), Floats), (arrival.Type, arrival.Floats));
                Assert.Equal([(byte)count], arrival.Header);
                for (var i = 0; i < Floats; i++) if (arrival.Values[i] != (count * Floats) + i) Assert.Fail($"message {count}, float {i} is {arrival.Values[i]}");
            }
            return count;
        }

        public void Dispose()
        {
            Near.Link.Close(LinkEnd.Dismissed, "the test is over");
            Proxy.Dispose();
            Near.WaitForClosed();
            Far.WaitForClosed();
            _listener.Dispose();
            if (_path is not null) Assert.False(File.Exists(_path));
            Near.Dispose();
            Far.Dispose();
        }
    }
}
