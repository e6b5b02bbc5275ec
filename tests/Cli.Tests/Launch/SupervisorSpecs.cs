using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>The supervisor over real processes.</summary>
[Trait("Clock", "wall")]
public sealed class SupervisorSpecs
{
    private static readonly RestartPolicy Quick = new() { FirstDelay = TimeSpan.FromMilliseconds(10), LongestDelay = TimeSpan.FromMilliseconds(20) };

    private readonly RecordingObserver _observer = new();

    [Fact]
    public async Task Killed_child_is_reaped_and_comes_back_as_a_new_process()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", "serve")], Quick, _observer);
        var run = supervisor.RunAsync();
        var first = await _observer.NextAsync("started worker-0");
        await _observer.NextAsync("worker-0: ready");
        Assert.True(await supervisor.KillAsync("worker-0"));
        var exited = await _observer.NextAsync("exited worker-0");
        Assert.Equal($"exited {first["started ".Length..]} 137 gone", exited);
        var second = await _observer.NextAsync("started worker-0");
        Assert.NotEqual(first, second);
        await _observer.NextAsync("worker-0: ready");
        supervisor.RequestStop();
        Assert.Equal(130, (await _observer.EndOf(run)).ExitCode);
        Assert.Contains(_observer.Heard, heard => heard.StartsWith("said worker-0 was killed by SIGKILL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Crash_loop_is_given_up_with_a_sentence_that_holds_the_last_words()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", "exit 3")], Quick with { Limit = 2 }, _observer);
        var result = await _observer.EndOf(supervisor.RunAsync());
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"^giving up: worker-0 ended with code 3 after \S+ m?s, and was started again 2 times without a commit in between; it said last: ending with 3$", result.Reason);
        Assert.Equal(3, _observer.Heard.Count(heard => heard.StartsWith("exited worker-0", StringComparison.Ordinal)));
        Assert.Equal(["cluster: ending with 3"], supervisor.LastLinesOf("worker-0"));
    }

    [Fact]
    public async Task Users_mistake_of_a_child_ends_the_run_with_code_2_and_its_words()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("coordinator", "coordinate") with { EndsRun = true }, LaunchChild.Spec("worker-0", "exit 2")], Quick, _observer);
        Assert.Equal(new SupervisorResult(2, "worker-0: ending with 2"), await _observer.EndOf(supervisor.RunAsync()));
    }

    [Fact]
    public async Task Coordinator_that_is_done_stops_the_others_in_order()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("coordinator", "say done") with { EndsRun = true }, LaunchChild.Spec("worker-0", "serve")], Quick, _observer);
        Assert.Equal(0, (await _observer.EndOf(supervisor.RunAsync())).ExitCode);
        Assert.Contains("coordinator: done", _observer.Heard);
    }

    [Fact]
    public async Task Stop_ends_the_coordinator_first_and_answers_130()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", "serve"), LaunchChild.Spec("coordinator", "coordinate") with { EndsRun = true }], Quick, _observer);
        var run = supervisor.RunAsync();
        while (_observer.Heard.Count(heard => heard.EndsWith("ready", StringComparison.Ordinal)) < 2) await _observer.NextAsync("");
        supervisor.RequestStop();
        Assert.Equal(130, (await _observer.EndOf(run)).ExitCode);
        var ends = _observer.Heard.Where(heard => heard.StartsWith("exited", StringComparison.Ordinal)).ToList();
        Assert.Matches("^exited coordinator .* 130 gone$", ends[0]);
        Assert.Matches("^exited worker-0 .* 0 gone$", ends[1]);
    }

    [Fact]
    public async Task Paused_child_stands_still_until_it_is_resumed_and_still_stops_in_order()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", "serve")], Quick, _observer);
        var run = supervisor.RunAsync();
        await _observer.NextAsync("worker-0: ready");
        var process = Assert.NotNull(await supervisor.PauseAsync("worker-0"));
        Assert.Equal('T', OtherProcess.StateOf(process));
        Assert.True(supervisor.Resume("worker-0", process));
        Assert.False(supervisor.Resume("worker-0", process + 1));
        Assert.NotNull(await supervisor.PauseAsync("worker-0"));
        supervisor.RequestStop();
        await _observer.EndOf(run);
        Assert.Matches("^exited worker-0 .* 0 gone$", await _observer.NextAsync("exited"));
        Assert.Null(await supervisor.PauseAsync("worker-0"));
        Assert.False(await supervisor.KillAsync("worker-0"));
    }

    [Fact]
    public async Task Lines_of_both_streams_arrive_whole_and_in_order()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("a", "flood 3000"), LaunchChild.Spec("b", "flood 3000")], Quick, _observer);
        Assert.Equal(0, (await _observer.EndOf(supervisor.RunAsync())).ExitCode);
        foreach (var stream in (string[])["a: o", "a! e", "b: o", "b! e"])
            Assert.Equal(Enumerable.Range(0, 3000).Select(i => $"{stream}{i:000000}"), _observer.Heard.Where(heard => heard.StartsWith(stream, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Child_that_takes_no_SIGTERM_is_killed_after_its_grace_and_the_answer_is_still_0()
    {
        var supervisor = new Supervisor(
            [LaunchChild.Spec("coordinator", "serve") with { EndsRun = true }, LaunchChild.Spec("worker-0", "block")], Quick with { StopGrace = TimeSpan.FromMilliseconds(200) }, _observer);
        var run = supervisor.RunAsync();
        while (_observer.Heard.Count(heard => heard.EndsWith("ready", StringComparison.Ordinal)) < 2) await _observer.NextAsync("");
        supervisor.RequestStop();
        Assert.Equal(0, (await _observer.EndOf(run)).ExitCode);
        Assert.Matches("^exited worker-0 .* 137 gone$", await _observer.NextAsync("exited worker-0"));
        Assert.Contains("said worker-0 did not stop in time and is killed", _observer.Heard);
    }

    [Fact]
    public async Task Second_stop_kills_children_that_would_take_their_time()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("coordinator", "block") with { EndsRun = true }, LaunchChild.Spec("worker-0", "block")], Quick, _observer);
        var run = supervisor.RunAsync();
        while (_observer.Heard.Count(heard => heard.EndsWith("ready", StringComparison.Ordinal)) < 2) await _observer.NextAsync("");
        supervisor.RequestStop();
        supervisor.RequestStop();
        Assert.Equal(130, (await _observer.EndOf(run)).ExitCode);
        Assert.Equal(2, _observer.Heard.Count(heard => heard.EndsWith(" 137 gone", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Useless_child_is_killed_and_reaped_before_the_next_one_starts()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", "block")], Quick, _observer);
        var run = supervisor.RunAsync();
        await _observer.NextAsync("worker-0: ready");
        supervisor.RequestRestart("worker-0", "no answer for 2 s");
        Assert.EndsWith(" 137 gone", await _observer.NextAsync("exited worker-0"), StringComparison.Ordinal);
        await _observer.NextAsync("started worker-0");
        supervisor.RequestStop();
        supervisor.RequestStop();
        await _observer.EndOf(run);
    }

    [Fact]
    public async Task Program_that_does_not_exist_is_named()
    {
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", "serve") with { FileName = "/nowhere/cluster" }], Quick with { Limit = 1 }, _observer);
        var result = await _observer.EndOf(supervisor.RunAsync());
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("worker-0 could not be started: /nowhere/cluster: ", result.Reason, StringComparison.Ordinal);
    }
}
