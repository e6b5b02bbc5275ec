using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>The supervisor's decisions, on virtual time.</summary>
public sealed class SupervisionSpecs
{
    private readonly SupervisionDriver _run = new(new RestartPolicy(), "coordinator", "ps-0", "worker-0", "worker-1");

    [Fact]
    public void Children_start_in_the_order_given_at_the_first_tick() =>
        Assert.Equal(["start coordinator", "start ps-0", "start worker-0", "start worker-1"], _run.Tick());

    [Fact]
    public void Killed_child_is_started_again_after_the_first_delay_and_not_before()
    {
        _run.Tick();
        var said = _run.At(3000).Exit("worker-1", 137);
        Assert.Equal(["say worker-1 was killed by SIGKILL after 3.0 s; it is started again in 100 ms (restart 1 of 5 without a commit)"], said);
        Assert.Equal(TimeSpan.FromMilliseconds(3100), _run.State.NextDeadline);
        Assert.Empty(_run.TickAt(3099));
        Assert.Equal(["start worker-1"], _run.TickAt(3100));
        Assert.Empty(_run.TickAt(3101));
        Assert.Equal(TimeSpan.MaxValue, _run.State.NextDeadline);
    }

    [Fact]
    public void Delay_doubles_from_restart_to_restart_up_to_its_bound()
    {
        var driver = new SupervisionDriver(new RestartPolicy { Limit = 9 }, "coordinator", "worker-0");
        driver.Tick();
        var delays = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var before = driver.Now;
            driver.Exit("worker-0", 1);
            delays.Add((driver.State.NextDeadline - before).TotalMilliseconds);
            driver.TickAt(driver.State.NextDeadline.TotalMilliseconds);
        }
        Assert.Equal([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000], delays);
    }

    [Fact]
    public void One_restart_too_many_without_a_commit_ends_the_run_with_the_reason_and_code_1()
    {
        _run.Tick();
        for (var i = 0; i < 5; i++)
        {
            _run.Exit("worker-1", 139);
            _run.TickAt(_run.State.NextDeadline.TotalMilliseconds);
        }
        const string reason = "giving up: worker-1 was killed by SIGSEGV, and was started again 5 times without a commit in between; it said last: boom";
        Assert.Equal([$"say {reason}", "SIGTERM coordinator", "SIGCONT coordinator"], _run.Exit("worker-1", 139, "boom"));
        _run.Exit("coordinator", 130);
        _run.Exit("ps-0", 0);
        Assert.Equal([$"finish 1 {reason}"], _run.Exit("worker-0", 0));
    }

    [Fact]
    public void Commit_forgives_restarts_of_every_child()
    {
        _run.Tick();
        for (var i = 1; i <= 40; i++)
        {
            Assert.Single(_run.Exit("worker-1", 1));
            _run.TickAt(_run.State.NextDeadline.TotalMilliseconds);
            _run.Commit(i);
        }
        Assert.Equal(SupervisorStage.Running, _run.State.Stage);
    }

    [Fact]
    public void Commit_that_was_heard_before_is_no_progress()
    {
        _run.Tick();
        _run.Commit(7);
        for (var i = 0; i < 5; i++)
        {
            _run.Exit("coordinator", 1);
            _run.TickAt(_run.State.NextDeadline.TotalMilliseconds);
            _run.Commit(7);
        }
        _run.Exit("coordinator", 1);
        Assert.Equal(SupervisorStage.StoppingRest, _run.State.Stage);
    }

    [Fact]
    public void Back_off_begins_anew_only_for_a_child_that_was_steady_when_a_commit_came()
    {
        _run.Tick();
        _run.Exit("worker-1", 1);
        _run.TickAt(100);
        _run.Commit(1);
        Assert.Contains("in 200 ms", Assert.Single(_run.Exit("worker-1", 1)), StringComparison.Ordinal);
        _run.TickAt(300);
        _run.At(2300).Commit(2);
        Assert.Contains("in 100 ms", Assert.Single(_run.Exit("worker-1", 1)), StringComparison.Ordinal);
    }

    [Fact]
    public void Child_that_ends_with_0_is_not_started_again_and_is_no_news()
    {
        _run.Tick();
        Assert.Empty(_run.Exit("worker-0", 0));
        Assert.Equal(TimeSpan.MaxValue, _run.State.NextDeadline);
        Assert.Empty(_run.TickAt(60_000));
    }

    [Fact]
    public void Run_without_a_child_that_ends_it_is_done_when_all_are()
    {
        var driver = new SupervisionDriver(new RestartPolicy(), endsRun: null, "a", "b");
        driver.Tick();
        driver.Exit("a", 0);
        Assert.Equal(["say b is done", "finish 0 all are done"], driver.Exit("b", 0));
    }

    [Fact]
    public void Coordinator_that_is_done_ends_the_run_and_the_others_are_stopped()
    {
        _run.Tick();
        Assert.Equal(["SIGTERM ps-0", "SIGCONT ps-0", "SIGTERM worker-0", "SIGCONT worker-0", "SIGTERM worker-1", "SIGCONT worker-1"], _run.Exit("coordinator", 0));
        Assert.Empty(_run.Exit("worker-1", 143));
        Assert.Empty(_run.Exit("ps-0", 0));
        Assert.Equal(["finish 0 the run is done"], _run.Exit("worker-0", 0));
    }

    [Fact]
    public void Coordinator_whose_run_has_failed_is_not_started_again_and_its_last_line_is_the_answer()
    {
        _run.Tick();
        Assert.Equal("SIGTERM ps-0", _run.Exit("coordinator", 3, "the gradient is not finite")[0]);
        _run.Exit("ps-0", 0);
        _run.Exit("worker-0", 0);
        Assert.Equal(["finish 1 the gradient is not finite"], _run.Exit("worker-1", 0));
    }

    [Fact]
    public void Code_3_of_another_child_is_a_death_like_any_other()
    {
        _run.Tick();
        Assert.Contains("it is started again", Assert.Single(_run.Exit("worker-1", 3)), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_that_failed_while_it_was_stopped_has_failed()
    {
        _run.Tick();
        _run.Stop();
        _run.Exit("coordinator", 3, "a shard is broken");
        _run.Exit("ps-0", 0);
        _run.Exit("worker-0", 0);
        Assert.Equal(["finish 1 a shard is broken"], _run.Exit("worker-1", 0));
    }

    [Fact]
    public void Child_that_does_not_stop_in_10_seconds_is_killed()
    {
        _run.Tick();
        _run.At(1000).Exit("coordinator", 0);
        _run.Exit("ps-0", 0);
        Assert.Equal(TimeSpan.FromMilliseconds(11_000), _run.State.NextDeadline);
        Assert.Empty(_run.TickAt(10_999));
        Assert.Equal(
            ["say worker-0 did not stop in time and is killed", "SIGKILL worker-0", "say worker-1 did not stop in time and is killed", "SIGKILL worker-1"], _run.TickAt(11_000));
        Assert.Empty(_run.TickAt(30_000));
        _run.Exit("worker-0", 137);
        Assert.Equal(["finish 0 the run is done"], _run.Exit("worker-1", 137));
    }

    [Theory]
    [InlineData("worker-1")]
    [InlineData("coordinator")]
    public void Users_mistake_of_any_child_stops_the_run_with_its_words_and_code_2(string child)
    {
        _run.Tick();
        var words = $"{child}: no data set at /nowhere; give --data";
        Assert.Equal($"say {words}", _run.Exit(child, 2, "no data set at /nowhere; give --data")[0]);
        var last = new List<string>();
        foreach (var other in (string[])["coordinator", "ps-0", "worker-0", "worker-1"])
            if (other != child) last = _run.Exit(other, other == "coordinator" ? 130 : 0);
        Assert.Equal([$"finish 2 {words}"], last);
    }

    [Fact]
    public void Stop_lets_the_coordinator_finish_before_the_others_are_told()
    {
        _run.Tick();
        Assert.Equal(["say stopping: the open step is finished first; a second signal kills at once", "SIGTERM coordinator", "SIGCONT coordinator"], _run.Stop());
        Assert.Empty(_run.TickAt(59_999));
        Assert.Equal("SIGTERM ps-0", _run.Exit("coordinator", 130, "interrupted after step 7")[0]);
        _run.Exit("ps-0", 0);
        _run.Exit("worker-0", 0);
        Assert.Equal(["finish 130 interrupted after step 7"], _run.Exit("worker-1", 0));
    }

    [Theory]
    [InlineData(0, "finish 0 the run is done")]
    [InlineData(1, "finish 1 coordinator ended with code 1 while stopping: disk full")]
    [InlineData(2, "finish 2 coordinator ended with code 2 while stopping: disk full")]
    public void Stopped_run_answers_what_its_coordinator_made_of_it(int code, string finish)
    {
        _run.Tick();
        _run.Stop();
        _run.Exit("coordinator", code, "disk full");
        _run.Exit("ps-0", 0);
        _run.Exit("worker-0", 0);
        Assert.Equal([finish], _run.Exit("worker-1", 0));
    }

    [Fact]
    public void Coordinator_that_does_not_stop_in_a_minute_is_killed_and_the_run_has_failed()
    {
        _run.Tick();
        _run.Stop();
        Assert.Equal(["say coordinator did not stop in time and is killed", "SIGKILL coordinator"], _run.TickAt(60_000));
        _run.Exit("coordinator", 137);
        _run.Exit("ps-0", 0);
        _run.Exit("worker-0", 0);
        Assert.Equal(["finish 1 coordinator was killed by SIGKILL while stopping"], _run.Exit("worker-1", 0));
    }

    [Fact]
    public void Second_signal_kills_all_at_once_and_the_answer_stays_interrupted()
    {
        _run.Tick();
        _run.Stop();
        Assert.Equal(["say asked again: killing all", "SIGKILL coordinator", "SIGKILL ps-0", "SIGKILL worker-0", "SIGKILL worker-1"], _run.Stop());
        foreach (var child in (string[])["coordinator", "ps-0", "worker-0"]) Assert.Empty(_run.Exit(child, 137));
        Assert.Equal(["finish 130 interrupted"], _run.Exit("worker-1", 137));
    }

    [Fact]
    public void Signal_while_a_finished_run_stops_its_others_hastens_them_and_changes_no_answer()
    {
        _run.Tick();
        _run.Exit("coordinator", 0);
        Assert.Contains("SIGKILL worker-0", _run.Stop());
        _run.Exit("ps-0", 137);
        _run.Exit("worker-0", 137);
        Assert.Equal(["finish 0 the run is done"], _run.Exit("worker-1", 137));
    }

    [Fact]
    public void Child_that_waits_for_its_restart_is_not_started_by_a_stopping_run()
    {
        _run.Tick();
        _run.Exit("worker-1", 1);
        _run.Stop();
        Assert.Empty(_run.TickAt(5_000));
        _run.Exit("coordinator", 130);
        _run.Exit("ps-0", 0);
        Assert.Equal(["finish 130 interrupted"], _run.Exit("worker-0", 0));
    }

    [Fact]
    public void Stop_while_every_child_is_dead_finishes_at_once()
    {
        var driver = new SupervisionDriver(new RestartPolicy(), "coordinator", "coordinator");
        driver.Tick();
        driver.Exit("coordinator", 1);
        Assert.Equal("finish 130 interrupted", driver.Stop()[^1]);
    }

    [Fact]
    public void Coordinator_stopped_by_somebody_else_ends_the_run_as_interrupted()
    {
        _run.Tick();
        Assert.Equal("say coordinator was interrupted; stopping the others", _run.Exit("coordinator", 130)[0]);
        _run.Exit("ps-0", 0);
        _run.Exit("worker-0", 0);
        Assert.Equal(["finish 130 coordinator was interrupted"], _run.Exit("worker-1", 0));
    }

    [Fact]
    public void Useless_child_is_killed_and_started_again_only_after_its_end()
    {
        _run.Tick();
        Assert.Equal(["say ps-0 is killed and started again: no answer for 2 s", "SIGKILL ps-0"], _run.Restart("ps-0", "no answer for 2 s"));
        Assert.Empty(_run.TickAt(50_000));
        _run.Exit("ps-0", 137);
        Assert.Equal(["start ps-0"], _run.TickAt(50_100));
    }

    [Fact]
    public void Program_that_cannot_be_started_is_tried_again_and_given_up_with_the_cause()
    {
        _run.Tick();
        Assert.Equal(["say worker-0 could not be started: ./x: no such file; it is started again in 100 ms (restart 1 of 5 without a commit)"], _run.StartFails("worker-0", "./x: no such file"));
        for (var i = 0; i < 4; i++)
        {
            _run.TickAt(_run.State.NextDeadline.TotalMilliseconds);
            _run.StartFails("worker-0", "./x: no such file");
        }
        _run.TickAt(_run.State.NextDeadline.TotalMilliseconds);
        Assert.StartsWith("say giving up: worker-0 could not be started: ./x: no such file, and", _run.StartFails("worker-0", "./x: no such file")[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Exit_of_a_child_that_does_not_run_is_a_bug_and_throws()
    {
        Assert.Throws<ArgumentException>(() => _run.Exit("worker-0", 0));
        _run.Tick();
        _run.Exit("worker-0", 0);
        Assert.Throws<ArgumentException>(() => _run.Exit("worker-0", 0));
        Assert.Throws<ArgumentException>(() => _run.Exit("worker-9", 0));
    }
}
