using System.Text;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor.Live;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Coordinator.Monitor.Tests.Live;

/// <summary>What pages are told, first and then.</summary>
public sealed class LiveRunSpecs : IDisposable
{
    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(1);
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => Now.Ticks;
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Now;
    }

    private readonly Clock _clock = new();
    private readonly LiveRun _run;
    private long _step;

    public LiveRunSpecs() => _run = Create([]);

    public void Dispose() => _run.Dispose();

    private LiveRun Create(IReadOnlyList<CommitLine> logged) =>
        new(new LiveFacts("id", "t", "a model", 1000, 50_000, 64, 2, 1), logged, [], new RecentTraces(), keepsTraces: true, _clock);

    private static CommitRecord Record(long step) => new(Term.First, new StepId(step), 1, 0, 64, 1.0 / step, 0.5, 1, 1, 0.1, true, [new LeafRecord(new WorkerId(0), 64, 0)]);

    private void Commit(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            _step++;
            _run.Begun(new StepId(_step), DateTimeOffset.UnixEpoch);
            _run.Committed(new CommittedStep(Record(_step), TimeSpan.FromMilliseconds(20), false, 3200, DateTimeOffset.UnixEpoch));
        }
    }

    private static (string Name, JsonElement Json)[] ReadAll(LiveStream.Listener listener)
    {
        var messages = new List<(string, JsonElement)>();
        while (listener.Messages.TryRead(out var message))
        {
            var lines = Encoding.UTF8.GetString(message.Span).Split('\n');
            Assert.Equal(["", ""], lines[2..]);
            messages.Add((lines[0]["event: ".Length..], JsonDocument.Parse(lines[1]["data: ".Length..]).RootElement));
        }
        return [.. messages];
    }

    [Fact]
    public void First_everything_then_at_most_twice_a_second_what_is_new()
    {
        Commit(3);
        using var listener = _run.Listen()!;
        var first = Assert.Single(ReadAll(listener));
        Assert.Equal("all", first.Name);
        Assert.Equal(3, first.Json.GetProperty("curves").GetProperty("loss").GetProperty("points").GetArrayLength());
        for (var i = 0; i < 20; i++)
        {
            Commit(1);
            _clock.Now += TimeSpan.FromMilliseconds(50);
            _run.Rested();
        }
        var ticks = ReadAll(listener);
        Assert.InRange(ticks.Length, 1, 2);
        Assert.All(ticks, static t => Assert.Equal("tick", t.Name));
        var loss = ticks[0].Json.GetProperty("curves").GetProperty("loss");
        Assert.Equal(3, loss.GetProperty("from").GetInt32());
        Assert.Equal(4, loss.GetProperty("points")[0][0].GetInt64());
    }

    [Fact]
    public void Nothing_new_is_not_told_and_nobody_costs_nothing()
    {
        Commit(3);
        _clock.Now += TimeSpan.FromSeconds(5);
        _run.Rested();
        using var listener = _run.Listen()!;
        _clock.Now += TimeSpan.FromSeconds(5);
        _run.Rested();
        _clock.Now += TimeSpan.FromSeconds(5);
        _run.Rested();
        Assert.InRange(ReadAll(listener).Length, 1, 2);
        _clock.Now += TimeSpan.FromSeconds(5);
        _run.Rested();
        Assert.Empty(ReadAll(listener));
    }

    [Fact]
    public void The_end_is_told_at_once_and_is_the_last_word()
    {
        using var listener = _run.Listen()!;
        Commit(2);
        _run.Ended(new RunEnding(new StepId(2), true, "all steps are done", "abc"));
        _run.Dispose();
        var last = ReadAll(listener)[^1].Json;
        Assert.Equal(("finished", "abc", 2), (last.GetProperty("state").GetString(), last.GetProperty("sha256").GetString(), last.GetProperty("step").GetInt32()));
        Assert.True(listener.Messages.Completion.IsCompleted);
    }

    [Theory]
    [InlineData(true, "all steps are done", "abc", "finished")]
    [InlineData(false, "interrupted", "abc", "stopped")]
    [InlineData(false, "interrupted", null, "stopped")]
    [InlineData(false, "the disk burns", null, "failed")]
    public void How_it_ended_is_one_word(bool isFinished, string reason, string? hash, string expected)
    {
        _run.Ended(new RunEnding(new StepId(2), isFinished, reason, hash));
        Assert.Equal(expected, JsonDocument.Parse(_run.Snapshot()).RootElement.GetProperty("state").GetString());
    }

    [Fact]
    public void A_page_that_reads_nothing_is_cut_off_and_costs_the_others_nothing()
    {
        using var idle = _run.Listen()!;
        using var busy = _run.Listen()!;
        for (var i = 0; i < 50; i++)
        {
            Commit(1);
            _clock.Now += TimeSpan.FromSeconds(1);
            _run.Rested();
            Assert.NotEmpty(ReadAll(busy));
        }
        Assert.InRange(ReadAll(idle).Length, 1, 8);
        Assert.True(idle.Messages.Completion.IsCompleted);
        Assert.False(busy.Messages.Completion.IsCompleted);
    }

    [Fact]
    public void Only_so_many_pages_look_on_and_who_leaves_makes_room()
    {
        var all = Enumerable.Range(0, LiveStream.MaxListeners).Select(_ => _run.Listen()!).ToArray();
        Assert.Null(_run.Listen());
        all[0].Dispose();
        all[0].Dispose();
        using (var again = _run.Listen()) Assert.NotNull(again);
        foreach (var listener in all) listener.Dispose();
        Assert.Equal(0, _run.Stream.Count);
    }

    [Fact]
    public void What_the_log_held_is_on_the_curves_and_replayed_steps_are_there_once()
    {
        using var run = Create([.. Enumerable.Range(1, 2500).Select(static i => new CommitLine(Record(i), 20))]);
        run.Committed(new CommittedStep(Record(2499), TimeSpan.FromMilliseconds(5), IsReplayed: true, 0, DateTimeOffset.UnixEpoch));
        run.Committed(new CommittedStep(Record(2501), TimeSpan.FromMilliseconds(20), IsReplayed: false, 0, DateTimeOffset.UnixEpoch));
        var json = JsonDocument.Parse(run.Snapshot()).RootElement;
        Assert.Equal(2501, json.GetProperty("step").GetInt64());
        var points = json.GetProperty("curves").GetProperty("loss").GetProperty("points").EnumerateArray().ToArray();
        Assert.Equal(2501, points[^1][0].GetInt64());
        Assert.Equal(points.Length, points.Select(static p => p[0].GetInt64()).Distinct().Count());
    }

    [Fact]
    public void A_sentence_marks_the_step_that_it_names_or_the_one_that_is_open()
    {
        Commit(4);
        _run.Begun(new StepId(5), DateTimeOffset.UnixEpoch);
        _run.Happened(new RunEvent(DateTimeOffset.UnixEpoch, "worker-lost", "worker-0", "step", "worker-0 is lost in step 3: gone."));
        _run.Happened(new RunEvent(DateTimeOffset.UnixEpoch, "fault", "worker-0", "process", "<script>alert(1)</script> \u2028 is struck."));
        _run.Happened(new RunEvent(DateTimeOffset.UnixEpoch, "checkpoint", "coordinator", "checkpoint", "Checkpoint of step 4 written in 0.01 s."));
        var marks = JsonDocument.Parse(_run.Snapshot()).RootElement.GetProperty("marks").EnumerateArray().Select(static m => m.GetProperty("step").GetInt64());
        Assert.Equal([3, 5], marks);
    }
}
