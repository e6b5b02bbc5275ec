using Cluster.Cli.Hosting.Supervision;

namespace Cluster.Cli.Tests.Operations;

public sealed class ServiceNoticesSpecs
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Ready_comes_once_and_only_when_the_process_is_in_the_run()
    {
        var (state, first) = ServiceNotices.Advance(ServiceState.Nothing, new ServiceLook(true, false, false, "the node has not joined the run yet", Second), null);
        Assert.Equal("STATUS=the node has not joined the run yet\n", first);
        (state, var second) = ServiceNotices.Advance(state, new ServiceLook(true, true, false, "it takes part in the run", Second), null);
        Assert.Equal("READY=1\nSTATUS=it takes part in the run\n", second);
        // A link that is lost and found again is no second start.
        (state, var lost) = ServiceNotices.Advance(state, new ServiceLook(true, false, false, "the link is lost", Second), null);
        Assert.Equal("STATUS=the link is lost\n", lost);
        (_, var again) = ServiceNotices.Advance(state, new ServiceLook(true, true, false, "it takes part in the run", Second), null);
        Assert.Equal("STATUS=it takes part in the run\n", again);
    }

    [Fact]
    public void Nothing_new_is_nothing_told()
    {
        var look = new ServiceLook(true, true, false, "step 3 of 9 is committed", Second);
        var (state, _) = ServiceNotices.Advance(ServiceState.Nothing, look, null);
        Assert.Equal((state, ""), ServiceNotices.Advance(state, look with { Now = 2 * Second }, null));
    }

    [Fact]
    public void Watchdog_is_fed_at_its_times_while_the_process_turns_over_and_not_before_it_is_ready()
    {
        var look = new ServiceLook(true, false, false, "", TimeSpan.Zero);
        var (state, early) = ServiceNotices.Advance(ServiceState.Nothing, look, 10 * Second);
        Assert.Equal("", early);
        (state, var ready) = ServiceNotices.Advance(state, look with { IsIn = true }, 10 * Second);
        Assert.Equal("READY=1\nWATCHDOG=1\n", ready);
        (state, var soon) = ServiceNotices.Advance(state, look with { IsIn = true, Now = 9 * Second }, 10 * Second);
        Assert.Equal("", soon);
        (state, var stalled) = ServiceNotices.Advance(state, look with { IsIn = true, IsLive = false, Now = 20 * Second }, 10 * Second);
        Assert.Equal("", stalled);
        (_, var alive) = ServiceNotices.Advance(state, look with { IsIn = true, Now = 21 * Second }, 10 * Second);
        Assert.Equal("WATCHDOG=1\n", alive);
    }

    [Fact]
    public void Stopping_comes_once_and_a_process_that_stops_does_not_become_ready()
    {
        var look = new ServiceLook(true, false, true, "it was asked to stop", Second);
        var (state, message) = ServiceNotices.Advance(ServiceState.Nothing, look, null);
        Assert.Equal("STOPPING=1\nSTATUS=it was asked to stop\n", message);
        Assert.Equal("", ServiceNotices.Advance(state, look with { IsIn = true }, null).Message);
    }

    [Fact]
    public void Process_that_had_nothing_to_do_is_ready_and_stops_in_one_message() =>
        Assert.Equal("READY=1\nSTOPPING=1\nSTATUS=it is done\n", ServiceNotices.Advance(ServiceState.Nothing, new ServiceLook(true, true, true, "it is done", Second), null).Message);

    [Fact]
    public void Status_is_one_short_line_whatever_it_is_made_of()
    {
        var (_, message) = ServiceNotices.Advance(ServiceState.Nothing, new ServiceLook(true, false, false, "lost\nREADY=1\r\0" + new string('x', 500), Second), null);
        Assert.StartsWith("STATUS=lost READY=1", message, StringComparison.Ordinal);
        Assert.Equal(message.Length - 1, message.IndexOf('\n', StringComparison.Ordinal));
        Assert.InRange(message.Length, 100, 220);
    }

    [Theory]
    [InlineData("20000000", null, 10.0)]
    [InlineData("20000000", "42", 10.0)]
    [InlineData("20000000", "43", null)]
    [InlineData("0", null, null)]
    [InlineData("-5", null, null)]
    [InlineData("soon", null, null)]
    [InlineData(null, null, null)]
    public void Watchdog_of_this_process_is_fed_at_half_its_time(string? microseconds, string? process, double? seconds) =>
        Assert.Equal(seconds, ServiceNotices.BeatEvery(microseconds, process, 42)?.TotalSeconds);

    [Theory]
    [InlineData("/run/systemd/notify", "/run/systemd/notify")]
    [InlineData("@cluster", "\0cluster")]
    [InlineData("@", null)]
    [InlineData("/", null)]
    [InlineData("relative", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Address_is_a_path_or_an_abstract_name(string? text, string? expected) => Assert.Equal(expected, NotifySocket.AddressOf(text));
}
