using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>Children that leave, come back, are added or replaced, or meet a mistake in the middle of a run; on virtual time.</summary>
public sealed class MemberSupervisionSpecs
{
    private const string Unfit = "ended with code 2 (refused, or its data, version or device is unfit)";

    private readonly SupervisionDriver _run = new(new RestartPolicy(), "coordinator", "ps-0", "worker-0", "worker-1");

    public MemberSupervisionSpecs() => _run.Tick();

    [Fact]
    public void Mistake_of_a_worker_at_the_start_ends_the_run_with_code_2() =>
        Assert.Equal(["say worker-1: no such data", "SIGTERM coordinator", "SIGCONT coordinator"], _run.At(900).Exit("worker-1", 2, "no such data"));

    [Fact]
    public void Mistake_of_a_worker_after_a_commit_is_said_and_it_is_started_again_up_to_the_limit()
    {
        _run.Commit(1);
        Assert.Equal([$"say worker-1 {Unfit} after 900 ms; it is started again in 100 ms (restart 1 of 5 without a commit); it said last: no such data"], _run.At(900).Exit("worker-1", 2, "no such data"));
        for (var i = 0; i < 4; i++)
        {
            _run.TickAt(_run.State.NextDeadline.TotalMilliseconds);
            _run.Exit("worker-1", 2);
        }
        _run.TickAt(_run.State.NextDeadline.TotalMilliseconds);
        Assert.Equal($"say giving up: worker-1 {Unfit}, and was started again 5 times without a commit in between", _run.Exit("worker-1", 2)[0]);
    }

    [Fact]
    public void Mistake_of_the_coordinator_ends_the_run_whenever_it_comes()
    {
        _run.Commit(1);
        _run.At(900).Exit("coordinator", 2, "the log is damaged");
        _run.Exit("ps-0", 0);
        _run.Exit("worker-0", 0);
        Assert.Equal("finish 2 coordinator: the log is damaged", _run.Exit("worker-1", 0)[^1]);
    }

    [Fact]
    public void Worker_that_is_asked_to_leave_stays_away_until_it_may_return()
    {
        Assert.Equal(["SIGTERM worker-1", "SIGCONT worker-1"], _run.Leave("worker-1"));
        Assert.Empty(_run.At(500).Exit("worker-1", 130));
        Assert.Empty(_run.TickAt(60_000));
        Assert.Equal(TimeSpan.MaxValue, _run.State.NextDeadline);
        Assert.Empty(_run.Return("worker-1"));
        Assert.Equal(["start worker-1"], _run.Tick());
        Assert.StartsWith("say worker-1 was killed by SIGKILL after", Assert.Single(_run.At(70_000).Exit("worker-1", 137)));
    }

    [Fact]
    public void Worker_that_may_return_before_it_has_gone_is_started_again_when_it_goes()
    {
        _run.Leave("worker-1");
        _run.Return("worker-1");
        Assert.Equal(["say worker-1 was interrupted after 500 ms; it is started again in 100 ms (restart 1 of 5 without a commit)"], _run.At(500).Exit("worker-1", 130));
    }

    [Fact]
    public void Run_that_ends_while_a_worker_is_away_waits_for_nobody()
    {
        _run.Leave("worker-1");
        _run.At(500).Exit("worker-1", 130);
        _run.Exit("coordinator", 0);
        _run.Exit("ps-0", 0);
        Assert.Equal(["finish 0 the run is done"], _run.Exit("worker-0", 0));
        Assert.Empty(_run.Return("worker-1"));
    }

    [Fact]
    public void Added_child_is_started_at_once_and_stopped_with_the_others()
    {
        Assert.Empty(_run.At(500).Add("worker-7"));
        Assert.Equal(["start worker-7"], _run.Tick());
        Assert.Throws<ArgumentException>(() => _run.Add("worker-7"));
        Assert.Contains("SIGTERM worker-7", _run.Exit("coordinator", 0));
    }

    [Fact]
    public void Detached_process_is_replaced_at_once_and_its_end_is_no_childs_end()
    {
        Assert.Empty(_run.At(500).Detach("coordinator"));
        Assert.Equal(["start coordinator"], _run.Tick());
        Assert.Equal(["say coordinator (process 77), in whose place another was started, ended with code 3"], _run.DetachedExit("coordinator", 3));
        Assert.Equal((SupervisorStage.Running, 0), (_run.State.Stage, _run.State.Child("coordinator").Restarts));
        Assert.Contains("SIGTERM worker-0", _run.Exit("coordinator", 0));
    }
}
