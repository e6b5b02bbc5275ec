using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Real processes, killed and stopped.</summary>
[Trait("Clock", "wall")]
public sealed class PeerDeathSpecs
{
    public static TheoryData<LinkTransportKind> Sockets => [LinkTransportKind.Unix, LinkTransportKind.Tcp];

    private static ILinkListener Listen(LinkTransportKind kind, Recorder far, LinkOptions? options = null) =>
        Links.Listen(Peers.Address(kind), Peers.Acceptor(_ => LinkVerdict.Accept(far), options));

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Killed_peer_is_lost_within_100_ms_and_its_half_tensor_goes_back(LinkTransportKind kind)
    {
        using var far = new Recorder();
        using var listener = Listen(kind, far);
        using var child = PeerProcess.Start(listener.Address);
        for (var i = 0; i < 20; i++) far.NextBulk().Dispose();
        var killed = Stopwatch.GetTimestamp();
        child.Kill();
        var closure = far.WaitForClosed();
        Assert.Equal((LinkEnd.Lost, false), (closure.End, closure.ByPeer));
        Assert.Contains("child is gone", closure.Sentence);
        Assert.InRange(Stopwatch.GetElapsedTime(killed, far.ClosedAt).TotalMilliseconds, 0, 100);
        far.AssertNothingLeaked();
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Stopped_peer_is_silent_after_half_a_second_and_others_are_not(LinkTransportKind kind)
    {
        using var far = new Recorder();
        using var listener = Listen(kind, far);
        using var others = Peers.Connect(kind);
        using var child = PeerProcess.Start(listener.Address);
        far.NextBulk().Dispose();
        var stopped = Stopwatch.GetTimestamp();
        child.Signal("STOP");
        var closure = far.WaitForClosed();
        Assert.Equal(LinkEnd.Silent, closure.End);
        Assert.Contains("nothing was heard from child for", closure.Sentence);
        Assert.InRange(Stopwatch.GetElapsedTime(stopped, far.ClosedAt).TotalMilliseconds, 400, 1000);
        Assert.Null(others.Near.Closure);
        far.AssertNothingLeaked();
        child.Signal("CONT");
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Process_that_was_itself_paused_accuses_nobody(LinkTransportKind kind)
    {
        using var far = new Recorder();
        // This side is patient, so only the child could end the link: it looks every 50 ms and allows 500 ms of silence.
        using var listener = Listen(kind, far, LinkOptions.Default with { Silence = TimeSpan.FromMinutes(1) });
        using var child = PeerProcess.Start(listener.Address);
        far.NextBulk().Dispose();
        for (var round = 0; round < 2; round++)
        {
            child.Signal("STOP");
            Thread.Sleep(1200);   // the pause is what is tested
            child.Signal("CONT");
            // A beat that has come shows that the child's heartbeat thread has looked again; the answer, that it is still there.
            for (var i = 0; i < 5; i++)
            {
                far.Link.SendControl(9, BitConverter.GetBytes(i));
                Assert.Equal(i, BitConverter.ToInt32(far.NextControl().Body));
                var beats = ((SocketLink)far.Link).Clock.Count;
                Assert.True(SpinWait.SpinUntil(() => ((SocketLink)far.Link).Clock.Count > beats, Recorder.Patience));
            }
        }
        Assert.Null(far.Closure);
    }

    [Theory]
    [MemberData(nameof(Sockets))]
    public void Round_trip_and_clock_offset_are_measured(LinkTransportKind kind)
    {
        using var peers = Peers.Connect(kind);
        Assert.True(SpinWait.SpinUntil(() => peers.Near.Link.RoundTrip is not null && peers.Far.Link.RoundTrip is not null, Recorder.Patience));
        foreach (var link in new[] { peers.Near.Link, peers.Far.Link })
        {
            Assert.InRange(link.RoundTrip!.Value.TotalMilliseconds, 0, 50);
            // One machine, one clock: the estimate is good to half the round trip.
            Assert.InRange(Math.Abs(link.ClockOffset!.Value.TotalMilliseconds), 0, 25);
        }
    }
}
