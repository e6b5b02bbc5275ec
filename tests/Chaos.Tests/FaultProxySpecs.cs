using System.Net.Sockets;
using Cluster.Chaos.Proxy;
using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

/// <summary>Real sockets through the proxy: what passes undisturbed, and what each fault does to it.</summary>
[Trait("Clock", "wall")]
public sealed class FaultProxySpecs
{
    private static readonly FlowFaults Hole = new() { IsBlackHole = true };

    public static TheoryData<WireKind> Kinds => [WireKind.Tcp, WireKind.Unix];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Undisturbed_bytes_pass_both_ways_and_so_does_the_end_of_each(WireKind kind)
    {
        await using var wire = new Wire(kind);
        var (near, far) = await wire.ConnectAsync();
        var (there, back) = (Wire.RandomBytes(9_000_001, 1), Wire.RandomBytes(5_000_003, 2));
        var sending = Task.WhenAll(Wire.SendAsync(near, there), Wire.SendAsync(far, back));
        var (heardFar, heardNear) = (Wire.ReceiveAsync(far, there.Length), Wire.ReceiveAsync(near, back.Length));
        await sending;
        Assert.Equal(there, await heardFar);
        Assert.Equal(back, await heardNear);
        near.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await Wire.EndOfAsync(far));
        await Wire.SendAsync(far, there.AsMemory(0, 100));
        Assert.Equal(there[..100], await Wire.ReceiveAsync(near, 100));
        Assert.Equal((there.Length, back.Length + 100), await PassedAsync(wire));
        far.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await Wire.EndOfAsync(near));
        Assert.Empty(await wire.Proxy.ConnectionsAsync());
        Assert.Equal(["open", "both ends are done"], wire.Notes.Select(static n => n.Sentence));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Fifty_connections_at_once_each_carry_their_own_bytes(WireKind kind)
    {
        await using var wire = new Wire(kind);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            var near = await wire.DialAsync();
            await Wire.SendAsync(near, Wire.RandomBytes(100_000, i));
            near.Shutdown(SocketShutdown.Send);
        }));
        var heard = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(await Wire.ReceiveToEndAsync(await wire.AcceptAsync())))));
        Assert.Equal(Enumerable.Range(0, 50).Select(static i => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Wire.RandomBytes(100_000, i)))).Order(), heard.Order());
        Assert.Equal(50, (await wire.Proxy.ConnectionsAsync()).Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Delayed_bytes_come_whole_and_no_sooner(WireKind kind)
    {
        await using var wire = new Wire(kind);
        var (near, far) = await wire.ConnectAsync();
        await wire.Proxy.SetAsync(Flow.Out, new FlowFaults { Delay = TimeSpan.FromMilliseconds(120), Jitter = TimeSpan.FromMilliseconds(40) });
        var bytes = Wire.RandomBytes(2_000_000, 3);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var sending = Wire.SendAsync(near, bytes);
        var first = await Wire.ReceiveAsync(far, 1);
        Assert.InRange(watch.ElapsedMilliseconds, 119, long.MaxValue);
        byte[] heard = [.. first, .. await Wire.ReceiveAsync(far, bytes.Length - 1)];
        Assert.Equal(bytes, heard);
        await sending;
        // The way back is not delayed, and an end to the delay holds for what is under way: it would else be a minute late.
        await wire.Proxy.SetAsync(Flow.Out, new FlowFaults { Delay = TimeSpan.FromMinutes(1) });
        await Wire.SendAsync(near, bytes.AsMemory(0, 1_000));
        await Wire.SendAsync(far, bytes.AsMemory(0, 10));
        await Wire.ReceiveAsync(near, 10);
        Assert.Equal((bytes.Length, 10), await PassedAsync(wire));
        await wire.Proxy.SetAsync(Flow.Out, FlowFaults.None);
        Assert.Equal(bytes[..1_000], await Wire.ReceiveAsync(far, 1_000));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Narrow_network_takes_the_time_of_its_rate_and_lets_small_messages_between(WireKind kind)
    {
        await using var wire = new Wire(kind);
        var (near, far) = await wire.ConnectAsync();
        var (beat, beatFar) = await wire.ConnectAsync();
        await wire.Proxy.SetAsync(Flow.Out, new FlowFaults { BytesPerSecond = 2e6 });
        var bytes = Wire.RandomBytes(600_000, 4);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var sending = Wire.SendAsync(near, bytes);
        var bulk = Wire.ReceiveAsync(far, bytes.Length);
        await Wire.SendAsync(beat, bytes.AsMemory(0, 76));
        await Wire.ReceiveAsync(beatFar, 76);
        Assert.False(bulk.IsCompleted, "a heartbeat waited until the tensors were through");
        Assert.Equal(bytes, await bulk);
        await sending;
        // All but the first burst of 10,000 bytes at 2 MB/s.
        Assert.InRange(watch.Elapsed.TotalSeconds, (bytes.Length - 10_000) / 2e6, double.MaxValue);
    }

    [Theory]
    [InlineData(WireKind.Tcp, false)]
    [InlineData(WireKind.Unix, false)]
    [InlineData(WireKind.Unix, true)]
    public async Task Hole_in_one_direction_lets_the_other_pass_and_loses_nothing(WireKind kind, bool isIncoming)
    {
        await using var wire = new Wire(kind, isIncoming: isIncoming);
        var (near, far) = await wire.ConnectAsync();
        // Out is seen from the disturbed node: who dials, or, of an incoming route, who is dialled.
        var (victim, other) = isIncoming ? (far, near) : (near, far);
        var bytes = Wire.RandomBytes(3_000, 5);
        await wire.Proxy.SetAsync(Flow.Out, Hole);
        await Wire.SendAsync(victim, bytes);
        await Wire.SendAsync(other, bytes.AsMemory(0, 500));
        Assert.Equal(bytes[..500], await Wire.ReceiveAsync(victim, 500));
        Assert.Equal((0, 500), await PassedAsync(wire));
        await wire.Proxy.SetAsync(Flow.Out, FlowFaults.None);
        Assert.Equal(bytes, await Wire.ReceiveAsync(other, bytes.Length));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task In_a_black_hole_nothing_passes_not_even_an_end_and_afterwards_the_stream_goes_on_without_a_gap(WireKind kind)
    {
        await using var wire = new Wire(kind);
        var (near, far) = await wire.ConnectAsync();
        var (other, otherFar) = await wire.ConnectAsync();
        var bytes = Wire.RandomBytes(50_000, 6);
        await Wire.SendAsync(near, bytes.AsMemory(0, 1_000));
        await Wire.ReceiveAsync(far, 1_000);
        await Task.WhenAll(wire.Proxy.SetAsync(Flow.Out, Hole), wire.Proxy.SetAsync(Flow.In, Hole));
        await Wire.SendAsync(near, bytes.AsMemory(1_000, 30_000));
        await Wire.SendAsync(far, bytes.AsMemory(0, 7));
        other.Dispose();
        var late = await wire.DialAsync();
        await Wire.SendAsync(late, bytes.AsMemory(0, 9));
        var gaveUp = await wire.DialAsync();
        gaveUp.Dispose();
        // Each question is a round of the proxy's loop, which would have read what has come.
        Assert.Equal((1_000, 0), await PassedAsync(wire));
        Assert.Equal((1_000, 0), await PassedAsync(wire));
        Assert.Equal(2, (await wire.Proxy.ConnectionsAsync()).Count);

        await Task.WhenAll(wire.Proxy.SetAsync(Flow.Out, FlowFaults.None), wire.Proxy.SetAsync(Flow.In, FlowFaults.None));
        await Wire.SendAsync(near, bytes.AsMemory(31_000));
        Assert.Equal(bytes[1_000..], await Wire.ReceiveAsync(far, 49_000));
        Assert.Equal(bytes[..7], await Wire.ReceiveAsync(near, 7));
        Assert.NotNull(await Wire.EndOfAsync(otherFar));
        Assert.Equal(bytes[..9], await Wire.ReceiveAsync(await wire.AcceptAsync(), 9));
        Assert.Equal(3, wire.Notes.Count(static n => n.Sentence == "open"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cut_resets_all_connections_and_new_ones_work(WireKind kind)
    {
        await using var wire = new Wire(kind);
        var (near, far) = await wire.ConnectAsync();
        var (near2, far2) = await wire.ConnectAsync();
        Assert.Equal(2, await wire.Proxy.CutAsync());
        foreach (var socket in new[] { near, far, near2, far2 })
        {
            var end = await Wire.EndOfAsync(socket);
            if (kind == WireKind.Tcp) Assert.Equal(SocketError.ConnectionReset, end);
            else Assert.NotNull(end);
        }
        var (again, againFar) = await wire.ConnectAsync();
        await AssertPassesAsync(again, againFar);
    }

    [Fact]
    public async Task Reset_of_one_end_reaches_the_other_as_a_reset()
    {
        await using var wire = new Wire(WireKind.Tcp);
        var (near, far) = await wire.ConnectAsync();
        near.LingerState = new LingerOption(true, 0);
        near.Dispose();
        Assert.Equal(SocketError.ConnectionReset, await Wire.EndOfAsync(far));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Connection_to_a_target_that_is_gone_ends_at_once(WireKind kind)
    {
        await using var wire = new Wire(kind);
        wire.StopListening();
        // A reset may come before the dialler has noticed that it was connected.
        if (await Record.ExceptionAsync(async () => Assert.NotNull(await Wire.EndOfAsync(await wire.DialAsync()))) is { } early) Assert.IsType<SocketException>(early);
        Assert.Empty(await wire.Proxy.ConnectionsAsync());
        Assert.Contains(wire.Notes, static n => n.Sentence.StartsWith("the target does not take it (", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(DamageKind.Corrupt)]
    [InlineData(DamageKind.Duplicate)]
    [InlineData(DamageKind.Reorder)]
    public async Task Ordered_damage_strikes_the_next_large_read_once(DamageKind kind)
    {
        await using var wire = new Wire(WireKind.Unix, seed: 9);
        var (near, far) = await wire.ConnectAsync();
        var done = await wire.Proxy.DamageAsync(kind, 8_192);
        var small = Wire.RandomBytes(100, 1);
        await Wire.SendAsync(near, small);
        Assert.Equal(small, await Wire.ReceiveAsync(far, 100));
        var bytes = Wire.RandomBytes(60_000, 7);
        await Wire.SendAsync(far, bytes);
        await Wire.SendAsync(far, bytes);
        far.Shutdown(SocketShutdown.Send);
        var heard = await Wire.ReceiveToEndAsync(near);
        var damage = await done.WaitAsync(Wire.Patience);
        byte[] sent = [.. bytes, .. bytes];
        Assert.NotEqual(sent, heard);
        Assert.Equal(sent.Length + (kind == DamageKind.Duplicate ? StreamMangler.SegmentBytes : 0), heard.Length);
        // Up to there it is whole; and there it begins to differ, but for segments that happen to begin alike.
        Assert.Equal(sent[..(int)damage.Position], heard[..(int)damage.Position]);
        if (kind == DamageKind.Corrupt) Assert.NotEqual(sent[damage.Position], heard[damage.Position]);
        Assert.Single(wire.Notes, n => n.Damage == damage && n.Sentence.EndsWith("on the way in", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Same_seed_and_bytes_get_the_same_damage_over_sockets()
    {
        var bytes = Wire.RandomBytes(1_500_000, 8);
        var faults = new FlowFaults { CorruptEvery = 100_000, DuplicateEvery = 300_000, ReorderEvery = 300_000 };
        async Task<byte[]> PassAsync(ulong seed)
        {
            await using var wire = new Wire(WireKind.Unix, seed);
            await wire.Proxy.SetAsync(Flow.Out, faults);
            var (near, far) = await wire.ConnectAsync();
            var heard = Wire.ReceiveToEndAsync(far);
            await Wire.SendAsync(near, bytes);
            near.Shutdown(SocketShutdown.Send);
            return await heard;
        }
        var first = await PassAsync(3);
        Assert.NotEqual(bytes, first);
        Assert.Equal(first, await PassAsync(3));
        Assert.NotEqual(first, await PassAsync(4));
    }

    [Theory]
    [InlineData(0, 2_000_000)]
    [InlineData(60_000, 12_000_000)]
    public async Task Peer_that_does_not_read_costs_bounded_memory(int delay, int bound)
    {
        await using var wire = new Wire(WireKind.Unix);
        var (near, _) = await wire.ConnectAsync();
        await wire.Proxy.SetAsync(Flow.Out, new FlowFaults { Delay = TimeSpan.FromMilliseconds(delay) });
        near.Blocking = false;
        var (piece, sent, full) = (new byte[50_000], 0L, 0);
        // Full for many rounds of the proxy's loop = full for good.
        while (full < 50 && sent < 4L * bound)
        {
            var got = near.Send(piece, SocketFlags.None, out var error);
            full = error == SocketError.WouldBlock ? full + 1 : 0;
            sent += Math.Max(0, error == SocketError.Success ? got : 0);
            await wire.Proxy.ConnectionsAsync();
        }
        Assert.InRange(sent, Limits.ProxyReadBytes, bound);
    }

    [Fact]
    public async Task Faults_that_come_and_go_in_the_middle_of_traffic_change_no_byte()
    {
        await using var wire = new Wire(WireKind.Tcp);
        var (near, far) = await wire.ConnectAsync();
        var bytes = Wire.RandomBytes(6_000_000, 10);
        var heard = Wire.ReceiveAsync(far, bytes.Length);
        var sending = Wire.SendAsync(near, bytes);
        FlowFaults[] faults =
        [
            new() { Delay = TimeSpan.FromMilliseconds(3), Jitter = TimeSpan.FromMilliseconds(4) }, Hole, new() { BytesPerSecond = 20e6 },
            new() { BytesPerSecond = 50e6, Delay = TimeSpan.FromMilliseconds(1) }, FlowFaults.None,
        ];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++) await wire.Proxy.SetAsync(Flow.Out, faults[(i + thread) % faults.Length]);
        })));
        await wire.Proxy.SetAsync(Flow.Out, FlowFaults.None);
        await sending;
        Assert.Equal(bytes, await heard);
    }

    [Fact]
    public async Task Disposed_proxy_ends_its_connections_leaves_no_socket_behind_and_takes_no_orders()
    {
        var wire = new Wire(WireKind.Unix);
        var (near, far) = await wire.ConnectAsync();
        var armed = await wire.Proxy.DamageAsync(DamageKind.Corrupt, 100);
        var path = wire.Proxy.Routes[0].Listen.ToString()!;
        Assert.True(File.Exists(path));
        await Task.Run(wire.Proxy.Dispose).WaitAsync(Wire.Patience);
        Assert.NotNull(await Wire.EndOfAsync(near));
        Assert.NotNull(await Wire.EndOfAsync(far));
        Assert.False(File.Exists(path));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => armed.WaitAsync(Wire.Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wire.Proxy.CutAsync());
        await wire.DisposeAsync();
    }

    [Fact]
    public async Task Faults_that_make_no_sense_are_refused_and_change_nothing()
    {
        await using var wire = new Wire(WireKind.Unix);
        FlowFaults[] wrong = [new() { BytesPerSecond = 0 }, new() { BytesPerSecond = double.NaN }, new() { Delay = TimeSpan.FromMilliseconds(-1) }, new() { CorruptEvery = -1 }, new() { ReorderEvery = 100 }];
        foreach (var faults in wrong) await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => wire.Proxy.SetAsync(Flow.Out, faults));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => wire.Proxy.DamageAsync(DamageKind.Duplicate, 100));
        var (near, far) = await wire.ConnectAsync();
        await AssertPassesAsync(near, far);
    }

    [Fact]
    public async Task Address_that_is_taken_is_the_users_mistake()
    {
        await using var wire = new Wire(WireKind.Tcp);
        var taken = wire.Proxy.Routes[0];
        var mistake = Assert.Throws<UserMistakeException>(() => FaultProxy.Start([taken], 1));
        Assert.Contains("give a free address", mistake.Message);
    }

    private static async Task<(long Out, long In)> PassedAsync(Wire wire) =>
        (await wire.Proxy.ConnectionsAsync())[0] is var connection ? (connection.Out, connection.In) : default;

    private static async Task AssertPassesAsync(Socket near, Socket far)
    {
        await Wire.SendAsync(near, new byte[] { 1, 2, 3 });
        Assert.Equal([1, 2, 3], await Wire.ReceiveAsync(far, 3));
    }
}
