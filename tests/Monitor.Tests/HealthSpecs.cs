using System.Text;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Health;

namespace Cluster.Coordinator.Monitor.Tests;

public sealed class HealthSpecs
{
    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;
        public override DateTimeOffset GetUtcNow() => Now;
    }

    private readonly Clock _clock = new();

    private static RunEvent Event(string kind) => new(DateTimeOffset.UnixEpoch, kind, "coordinator", null, "");

    private static CommittedStep Commit => new(new CommitRecord(new Term(1), new StepId(1), 0, 0, 1, 1, 1, 1, 1, 1, true, []), default, false, 0, default);

    [Fact]
    public void A_run_is_ready_from_its_first_step_to_a_stop_or_an_end()
    {
        using var health = new RunHealth(_clock);
        Assert.False(health.Ready().IsGood);
        health.Begun(new StepId(1), _clock.Now);
        Assert.True(health.Ready().IsGood);
        health.Leaving("it was asked to stop");
        health.Committed(Commit);
        health.Begun(new StepId(2), _clock.Now);
        Assert.Equal(new HealthVerdict(false, "it was asked to stop"), health.Ready());
    }

    [Theory]
    [InlineData("term", "a new term begins")]
    [InlineData("waiting", "no worker is there")]
    [InlineData("commit-waits", "the disk is full")]
    public void A_run_is_not_ready_while_it_waits(string kind, string reason)
    {
        using var health = new RunHealth(_clock);
        health.Begun(new StepId(1), _clock.Now);
        health.Happened(Event(kind));
        health.Happened(Event("membership"));
        Assert.Equal(new HealthVerdict(false, reason), health.Ready());
        health.Committed(Commit);
        Assert.True(health.Ready().IsGood);
    }

    /// <summary>A step is opened, finds no worker, and only then says that it has begun.</summary>
    [Fact]
    public void A_step_that_begins_without_workers_does_not_make_the_run_ready_and_a_worker_that_joins_does()
    {
        using var health = new RunHealth(_clock);
        health.Begun(new StepId(1), _clock.Now);
        health.Happened(Event("waiting"));
        health.Begun(new StepId(2), _clock.Now);
        Assert.False(health.Ready().IsGood);
        health.Happened(Event("worker-joined"));
        Assert.True(health.Ready().IsGood);
    }

    [Fact]
    public void A_process_whose_watch_thread_or_coordinator_stands_still_is_not_alive()
    {
        using var health = new RunHealth(_clock);
        var answer = new TaskCompletionSource();
        health.Watch(() => answer.Task);
        health.Rested();
        Assert.True(health.Live(_clock.Now).IsGood);
        _clock.Now += Turns.Patience + TimeSpan.FromSeconds(1);
        Assert.Equal(new HealthVerdict(false, "the thread that watches the run has stood still for 31 s"), health.Live(_clock.Now));
        health.Rested();
        Assert.Equal(new HealthVerdict(false, "the coordinator has stood still for 31 s"), health.Live(_clock.Now));
        answer.SetResult();
        health.Rested();
        Assert.True(health.Live(_clock.Now).IsGood);
    }

    [Fact]
    public void A_node_is_ready_while_it_has_joined_and_never_again_once_it_leaves()
    {
        var health = new NodeHealth(_clock.Now);
        Assert.Equal("the node has not joined the run yet", health.Ready().Reason);
        health.Joined();
        Assert.True(health.Ready().IsGood);
        health.Lost();
        Assert.False(health.Ready().IsGood);
        health.Joined();
        health.Leaving("it was asked to stop");
        health.Joined();
        Assert.Equal(new HealthVerdict(false, "it was asked to stop"), health.Ready());
    }

    [Fact]
    public void A_reason_is_escaped_in_the_body() =>
        Assert.Equal("""{"status":"unavailable","reason":"a \u0022b\u0022\n"}""", Encoding.UTF8.GetString(new HealthVerdict(false, "a \"b\"\n").ToJson()));
}
