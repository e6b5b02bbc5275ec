using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;
using static Cluster.Contracts.ClusterTelemetry;
using static Cluster.Coordinator.Monitor.Tests.Traces.Made;

namespace Cluster.Coordinator.Monitor.Tests.Traces;

/// <summary>From spans to bars, tracks and the critical path.</summary>
public sealed class TimelineSpecs
{
    private static readonly SpanTag Worker1 = new(Tags.Worker, "worker-1"), Shard0 = new(Tags.Shard, "ps-0");

    /// <summary>Two leases side by side, the second one longer; a gap; then the commit.</summary>
    private static (string, SpanRecord)[] Step() =>
    [
        .. Of("coordinator", Root(1), Child(1, 2, Spans.Lease, 5, 40, 0, new SpanTag(Tags.Worker, "worker-0")), Child(1, 3, Spans.Lease, 5, 60, 0, Worker1), Child(1, 4, Spans.Commit, 70, 90)),
        .. Of("worker-1", Child(1, 5, Spans.Forward, 10, 30, 3), Child(1, 6, Spans.Backward, 30, 55, 3)),
        .. Of("ps-1", Child(1, 7, Spans.Apply, 90, 100, 0, Shard0)),
    ];

    [Fact]
    public void The_critical_path_goes_through_what_ended_last_and_adds_up_to_the_step()
    {
        var timeline = Timeline.Of(Step())!;
        Assert.Equal(100 * Ms, timeline.Path.Sum(static p => p.End - p.Start));
        Assert.Equal(
            [(Spans.Step, 0, 5), (Spans.Lease, 5, 10), (Spans.Forward, 10, 30), (Spans.Backward, 30, 55), (Spans.Lease, 55, 60), (Spans.Step, 60, 70), (Spans.Commit, 70, 90), (Spans.Apply, 90, 100)],
            timeline.Path.Select(static p => (p.Span.Name, (int)((p.Start - Origin) / Ms), (int)((p.End - Origin) / Ms))));
        Assert.Equal(0, timeline.Rows.Single(static r => r.Span.SpanId == 2).CriticalNanoseconds);
    }

    [Fact]
    public void Every_span_is_a_row_below_its_parent_on_the_track_of_whoever_worked()
    {
        var timeline = Timeline.Of([.. Step().Reverse()])!;
        Assert.Equal([0, 1, 1, 2, 2, 1, 1], timeline.Rows.Select(static r => r.Depth));
        Assert.Equal(["coordinator", "worker-0", "worker-1", "ps-0"], timeline.Tracks);
        Assert.Equal("ps-0", timeline.Rows[^1].Track);      // the shard, not the process that holds it
        Assert.DoesNotContain(timeline.Rows, static r => r.IsOrphan);
    }

    [Fact]
    public void In_a_run_of_one_process_children_are_on_the_track_of_their_lease()
    {
        var timeline = Timeline.Of(Of("local", Root(1), Child(1, 3, Spans.Lease, 5, 60, 0, Worker1), Child(1, 5, Spans.Forward, 10, 30, 3), Child(1, 4, Spans.Commit, 70, 90)))!;
        Assert.Equal(["coordinator", "worker-1", "worker-1", "coordinator"], timeline.Rows.Select(static r => r.Track));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_the_spans_the_path_covers_the_root_without_gap_or_overlap(int seed)
    {
        var random = new Random(seed);
        var spans = new List<(string, SpanRecord)>(Of("local", Root(1)));
        for (ulong id = 2; id < 60; id++)
        {
            var from = random.Next(-20, 110);
            // Parents may be missing, or be the span itself: a damaged file.
            spans.AddRange(Of("local", Child(1, id, Spans.Reduce, from, from + random.Next(0, 60), (ulong)random.Next(0, 70))));
        }
        var timeline = Timeline.Of(spans)!;
        var at = timeline.Root.StartNanoseconds;
        foreach (var segment in timeline.Path)
        {
            Assert.Equal(at, segment.Start);
            Assert.True(segment.End > segment.Start);
            at = segment.End;
        }
        Assert.Equal(SpanMerge.EndOf(timeline.Root), at);
        Assert.InRange(timeline.Rows.Count, 1, spans.Count);
    }

    [Fact]
    public void Leases_that_were_not_needed_and_shards_that_wait_hold_nothing_up()
    {
        var timeline = Timeline.Of(Of("local", Root(1), Child(1, 2, Spans.Lease, 0, 90, 0, new SpanTag(Tags.Reason, "not needed")), Child(1, 3, Spans.Receive, 10, 90), Child(1, 4, Spans.Lease, 0, 80)))!;
        Assert.Equal([4UL, timeline.Root.SpanId], timeline.Path.Select(static p => p.Span.SpanId));
    }

    [Fact]
    public void Two_records_of_one_root_are_one_step_from_the_first_begin_to_the_last_end()
    {
        var first = Root(1, 0, 40, new SpanTag(Tags.Term, "1"), new SpanTag(Tags.Epoch, "0")) with { Error = "a new term begins" };
        var timeline = Timeline.Of(Of("coordinator", Root(1, 90, 140, new SpanTag(Tags.Term, "2")), first))!;
        var root = Assert.Single(timeline.Rows).Span;
        Assert.Equal((Origin, 140 * Ms), (root.StartNanoseconds, root.DurationNanoseconds));
        Assert.Equal(("2", "0", null), (SpanMerge.TagOf(root, Tags.Term), SpanMerge.TagOf(root, Tags.Epoch), root.Error));
    }

    [Fact]
    public void Clocks_that_agree_are_left_alone_and_others_are_moved_by_half_of_the_slack()
    {
        var lease = Child(1, 3, Spans.Lease, 10, 60, 0, Worker1);
        Assert.Empty(ClockOffsets.Of([.. Of("coordinator", Root(1), lease), .. Of("worker-1", Child(1, 5, Spans.Forward, 10, 60, 3))]));
        // Its clock is 500 ms ahead: between 20 and 50 by the coordinator's, or anything that lies within the lease.
        var ahead = Child(1, 5, Spans.Forward, 520, 550, 3);
        Assert.Equal(-500 * Ms, Assert.Single(ClockOffsets.Of([.. Of("coordinator", Root(1), lease), .. Of("worker-1", ahead)])).Value);
        var row = Timeline.Of([.. Of("coordinator", Root(1), lease), .. Of("worker-1", ahead)])!.Rows.Single(static r => r.Span.SpanId == 5);
        Assert.Equal(20 * Ms, row.Offset);
    }

    [Fact]
    public void Without_a_root_there_is_no_timeline_and_an_orphan_hangs_below_the_root()
    {
        Assert.Null(Timeline.Of(Of("worker-1", Child(1, 5, Spans.Forward, 10, 30, 3))));
        var orphan = Timeline.Of(Of("worker-1", Root(1), Child(1, 5, Spans.Forward, 10, 30, 3)))!.Rows[1];
        Assert.Equal((true, 1), (orphan.IsOrphan, orphan.Depth));
    }

    [Fact]
    public void Recent_traces_keep_the_newest_steps_and_merge_their_roots()
    {
        var recent = new RecentTraces(capacity: 2);
        foreach (var step in (long[])[1, 2, 3, 1]) recent.Add(step, "local", Root(step));
        recent.Add(3, "local", Root(3, 50, 120));
        Assert.Equal([2L, 3L], recent.Steps);
        Assert.Equal(120 * Ms, Assert.Single(recent.Of(3)).Span.DurationNanoseconds);
        Assert.Empty(recent.Of(1));
    }

    [Fact]
    public void A_waterfall_marks_the_critical_path_and_a_Perfetto_file_is_events_on_tracks_with_arrows()
    {
        var spans = Step();
        spans[^1] = ("ps-1", spans[^1].Item2 with { Links = [Link(1, 6)] });
        var timeline = Timeline.Of(spans)!;
        var text = Waterfall.Write(timeline, 120);
        Assert.Contains(text.Split('\n'), static l => l.Contains("*  commit", StringComparison.Ordinal) && l.Contains("70.000", StringComparison.Ordinal) && l.Contains('#'));
        Assert.Contains("Critical path (*, #): 100.000 ms of 100.000 ms", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), static l => Assert.InRange(l.Length, 0, 120));

        using var file = new MemoryStream();
        PerfettoFile.Write(file, "t", [timeline]);
        using var json = System.Text.Json.JsonDocument.Parse(file.ToArray());
        var events = json.RootElement.GetProperty("traceEvents").EnumerateArray().ToArray();
        Assert.Equal(spans.Length, events.Count(static e => e.GetProperty("ph").GetString() == "X"));
        Assert.Equal(["coordinator", "worker-0", "worker-1", "ps-0"], events.Where(static e => e.GetProperty("name").GetString() == "thread_name").Select(static e => e.GetProperty("args").GetProperty("name").GetString()));
        Assert.Equal(["s", "f"], events.Where(static e => e.GetProperty("name").GetString() == "link").Select(static e => e.GetProperty("ph").GetString()));
    }
}
