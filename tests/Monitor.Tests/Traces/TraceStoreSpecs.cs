using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;
using static Cluster.Contracts.ClusterTelemetry;
using static Cluster.Coordinator.Monitor.Tests.Traces.Made;

namespace Cluster.Coordinator.Monitor.Tests.Traces;

/// <summary>traces.jsonl: what is written, what is read back after whatever happened to the file, what stays.</summary>
public sealed class TraceStoreSpecs : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-traces-");
    private readonly List<string> _warnings = [];
    private readonly ManualTime _time = new();

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Stands until it is moved.</summary>
    private sealed class ManualTime : TimeProvider
    {
        public long Now { get; set; }
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => Now;
    }

    private TraceStore Open(long every = 1, long maxBytes = 1 << 20, int logged = 0) => new(
        RunId, TraceFile.Open(_folder.FullName, _warnings.Add, maxBytes), new TailSampling(every),
        logged == 0 ? null : () => new TraceReader(_folder.FullName).Lines(),
        tail => RootRecovery.Missing(RunId, [.. Enumerable.Range(1, logged).Select(static s => Line(s))], tail, static _ => true, Origin),
        _time, _warnings.Add);

    private SpanRecord[] Stored() => [.. new TraceReader(_folder.FullName).Lines().SelectMany(static l => l.Spans)];

    private static void Step(TraceStore store, long step, double milliseconds = 100, params SpanTag[] tags)
    {
        store.Begun(new StepId(step), DateTimeOffset.UnixEpoch);
        store.Traced("coordinator", Batch(Root(step, 0, milliseconds, tags)));
    }

    [Fact]
    public void A_span_comes_back_as_it_was()
    {
        var span = Child(7, 0xfedcba9876543210, Spans.Reduce, 1, 2, 9, new SpanTag(Tags.Worker, "a \"b\"\n✓")) with
        {
            Links = [Link(7, 1, new SpanTag(Tags.Node, "(0,1)")), Link(8, ulong.MaxValue)],
            Error = "no room",
        };
        using (var store = Open()) store.Traced("ps-0", Batch(span));
        var line = Assert.Single(new TraceReader(_folder.FullName).Lines());
        Assert.Equal("ps-0", line.Process);
        var read = Assert.Single(line.Spans);
        Assert.Equal(span with { Tags = read.Tags, Links = read.Links }, read);
        Assert.Equal(span.Tags, read.Tags);
        Assert.Equal(span.Links.Select(static l => (l.TraceIdHigh, l.TraceIdLow, l.SpanId, string.Concat(l.Tags))), read.Links.Select(static l => (l.TraceIdHigh, l.TraceIdLow, l.SpanId, string.Concat(l.Tags))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(100_000)]
    public void A_torn_last_line_is_cut_and_the_next_process_writes_on(int bytes)
    {
        using (var store = Open()) Step(store, 1);
        File.AppendAllText(PathOf(TraceFile.Name), new string('x', bytes));
        using (var store = Open()) Step(store, 2);
        var reader = new TraceReader(_folder.FullName);
        Assert.Equal(2, reader.Lines().Count());
        Assert.Equal(0, reader.Damaged);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void A_damaged_line_is_passed_over_and_counted_wherever_the_file_is_cut()
    {
        using (var store = Open())
            for (var step = 1; step <= 3; step++) Step(store, step);
        var whole = File.ReadAllText(PathOf(TraceFile.Name));
        var lines = whole.Split('\n');
        File.WriteAllText(PathOf(TraceFile.Name), $"{lines[0]}\n{lines[1][..^9]}\n[]\n{{\"process\":7}}\n{lines[2]}\n");
        var reader = new TraceReader(_folder.FullName);
        Assert.Equal(2, reader.Lines().Count());
        Assert.Equal(3, reader.Damaged);
        for (var length = 0; length < whole.Length; length += 37)
        {
            File.WriteAllText(PathOf(TraceFile.Name), whole[..length]);
            Assert.Equal(whole[..length].Count(static c => c == '\n'), new TraceReader(_folder.FullName).Lines().Count());
        }
    }

    [Fact]
    public void The_file_is_bounded_the_newest_stay_and_that_is_said_once()
    {
        using (var store = Open(maxBytes: 2_000))
        {
            for (var step = 1; step <= 100; step++)
            {
                Step(store, step);
                store.Rested();
            }
        }
        Assert.InRange(new FileInfo(PathOf(TraceFile.Name)).Length + new FileInfo(PathOf(TraceFile.OlderName)).Length, 1, 4_000);
        Assert.Equal("100", SpanMerge.TagOf(Stored()[^1], Tags.Step));
        Assert.Single(_warnings);
    }

    [Fact]
    public void Where_nothing_can_be_written_it_is_said_once_and_nothing_throws()
    {
        Directory.CreateDirectory(PathOf(TraceFile.Name));
        using (var store = Open())
        {
            for (var step = 1; step <= 3; step++)
            {
                Step(store, step);
                store.Rested();
            }
            Assert.Equal([1L, 2L, 3L], store.Recent.Steps);     // memory does not need the disk
        }
        Assert.Contains("Training goes on", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_process_tells_once_more_is_written_once_also_by_the_coordinator_after()
    {
        var span = Child(1, 5, Spans.Forward, 1, 2);
        using (var store = Open())
        {
            store.Traced("worker-0", Batch(span));
            store.Traced("worker-0", Batch(span));
        }
        using (var store = Open(logged: 1)) store.Traced("worker-0", Batch(span, Child(1, 6, Spans.Backward, 2, 3)));
        Assert.Equal([5UL, 6UL], Stored().Where(static s => s.ParentId != 0).Select(static s => s.SpanId));
    }

    [Fact]
    public void Dropped_spans_are_told()
    {
        using (var store = Open())
        {
            store.Traced("worker-0", new SpanBatch([Root(1)], 3));
            store.Traced("worker-0", new SpanBatch([Root(2)], 3));
            store.Traced("worker-1", new SpanBatch([], 4));
            Assert.Equal(7, store.Dropped);
        }
        Assert.Equal([("worker-0", 3L), ("worker-1", 4L)], new TraceReader(_folder.FullName).Lines().Where(static l => l.Dropped > 0).Select(static l => (l.Process, l.Dropped)));
    }

    [Fact]
    public void Of_every_tenth_step_and_of_slow_and_failed_ones_the_whole_trace_stays()
    {
        using (var store = Open(every: 10))
        {
            for (var step = 1; step <= 30; step++)
            {
                store.Begun(new StepId(step), DateTimeOffset.UnixEpoch);
                store.Traced("worker-0", Batch(Child(step, (ulong)step + 1000, Spans.Forward, 1, 2)));     // before the root
                var root = Root(step, 0, step == 15 ? 1000 : 100, new SpanTag(Tags.Attempt, step == 17 ? "2" : "1"));
                store.Traced("coordinator", Batch(step == 19 ? root with { Error = "a new term begins" } : root));
                store.Traced("ps-0", Batch(Child(step, (ulong)step + 2000, Spans.Apply, 2, 3)));            // behind it
                _time.Now += TimeSpan.TicksPerSecond * 5;
                store.Rested();
                store.Traced("worker-0", Batch(Child(step, (ulong)step + 3000, Spans.WeightsReceived, 3, 4)));  // behind the decision
            }
        }
        var steps = Stored().Where(static s => s.ParentId == 0).Select(static s => SpanMerge.TagOf(s, Tags.Step));
        Assert.Equal(["10", "15", "17", "19", "20", "30"], steps);
        Assert.Equal(6 * 4, Stored().Length);
    }

    [Fact]
    public void A_committed_step_without_a_root_gets_one_from_the_log()
    {
        using (var store = Open())
        {
            Step(store, 1, 100, new SpanTag(Tags.Loss, "1.5"));
            store.Traced("worker-0", Batch(Child(2, 5, Spans.Forward, 200, 230)));
            // Ended without a record: its coordinator began a new term.
            store.Traced("coordinator", Batch(Root(3, 300, 310)));
        }
        using (var store = Open(logged: 4)) store.Rested();
        var recovered = Stored().Where(static s => SpanMerge.TagOf(s, Tags.Recovered) == "true").ToDictionary(static s => SpanMerge.TagOf(s, Tags.Step)!);
        Assert.Equal(["2", "3", "4"], recovered.Keys);
        Assert.Equal((Origin + 200 * Ms, 50 * Ms), (recovered["2"].StartNanoseconds, recovered["2"].DurationNanoseconds));
        Assert.Equal(StepTrace.ContextOf(RunId, new StepId(2)).SpanId, recovered["2"].SpanId);
        Assert.Equal(Origin + 310 * Ms, recovered["4"].StartNanoseconds);       // after the one before
        using (var store = Open(logged: 4)) store.Rested();
        Assert.Equal(3, Stored().Count(static s => SpanMerge.TagOf(s, Tags.Recovered) is not null));
    }
}
