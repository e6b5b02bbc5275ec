using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>
/// What the page shows of a run, kept in bounded memory for any number of steps, and handed to the browsers that look on.
/// The watch thread writes, requests read; a lock lies between them for the microseconds of a change.
/// </summary>
public sealed class LiveRun : IRunWatcher
{
    /// <summary>Between two messages to the browsers.</summary>
    private const int TickMilliseconds = 500;

    private readonly Lock _lock = new();
    private readonly LiveFacts _facts;
    private readonly RunCurves _curves = new();
    private readonly NodeTable _nodes = new();
    private readonly EventFeed _feed = new();
    private readonly RecentTraces _traces;
    private readonly TraceIntake? _intake;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private long _tickedAt;
    private long _sentEvents;
    private bool _hasNews;
    private LiveProgress _progress;

    /// <param name="logged">Steps that the log held before.</param>
    /// <param name="past">Events of earlier processes of the run, oldest first.</param>
    /// <param name="traces">Spans of the last steps.</param>
    /// <param name="keepsTraces">Nobody else fills <paramref name="traces"/>.</param>
    public LiveRun(LiveFacts facts, IReadOnlyList<CommitLine> logged, IEnumerable<RunEvent> past, RecentTraces traces, bool keepsTraces, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(logged);
        ArgumentNullException.ThrowIfNull(past);
        ArgumentNullException.ThrowIfNull(time);
        _facts = facts;
        _traces = traces;
        _time = time;
        _intake = keepsTraces ? new TraceIntake(traces, facts.RunId) : null;
        _startedAt = time.GetTimestamp();
        _nodes.Expect(facts.Workers, facts.Shards);
        _curves.Fill(logged);
        foreach (var happened in past) _feed.Add(happened, openStep: null);
        _progress = LiveProgress.Of(logged.Count > 0 ? logged[^1].Record : null, time.GetUtcNow());
        _curves.Settle();
    }

    /// <summary>The browsers that look on.</summary>
    public LiveStream Stream { get; } = new();

    public void Begun(StepId step, DateTimeOffset at)
    {
        lock (_lock)
        {
            _progress = _progress.Begun(step.Value);
            _hasNews = true;
        }
    }

    public void Committed(CommittedStep step)
    {
        lock (_lock)
        {
            // The first step of a process pays for building kernels and filling buffers, and it is no rate.
            var isMeasure = _progress.Timed > 0 && !step.IsReplayed;
            _curves.Committed(step.Record, isMeasure ? step.SincePrevious : null);
            _nodes.Committed(step.Record, isMeasure ? step.SincePrevious : TimeSpan.Zero);
            _progress = _progress.Committed(step);
            _intake?.Began(step.Record.Step);
            _hasNews = true;
        }
    }

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions)
    {
        ArgumentNullException.ThrowIfNull(totals);
        lock (_lock)
        {
            _curves.Evaluated(totals.Version.Value, totals.Loss, totals.Accuracy);
            _hasNews = true;
        }
    }

    public void Happened(RunEvent happened)
    {
        lock (_lock)
        {
            _feed.Add(happened, _progress.Open > _progress.Last ? _progress.Open : _progress.Last);
            _nodes.Happened(happened);
            _hasNews = true;
        }
    }

    public void Reported(string node, NodeReport report)
    {
        lock (_lock)
        {
            _nodes.Reported(node, report, _time.GetUtcNow());
            _hasNews = true;
        }
    }

    public void Traced(string process, SpanBatch batch) => _intake?.Add(process, batch);

    public void Ended(RunEnding ending)
    {
        lock (_lock)
        {
            _progress = _progress.EndedWith(ending, _time.GetUtcNow());
            _hasNews = true;
        }
        Tick();
    }

    /// <summary>At most twice a second, and only when somebody looks on.</summary>
    public void Rested()
    {
        if (!_hasNews || Stream.Count == 0 || _time.GetElapsedTime(_tickedAt).TotalMilliseconds < TickMilliseconds) return;
        Tick();
    }

    private void Tick()
    {
        _tickedAt = _time.GetTimestamp();
        lock (_lock)
        {
            _hasNews = false;
            // Inside the lock: who begins to listen meanwhile gets all of it or the tick, never neither.
            Stream.Send(LiveStream.Framed("tick", Write(isWhole: false)));
            _curves.Settle();
            _sentEvents = _feed.Last;
        }
    }

    /// <summary>Everything, as JSON. Any thread.</summary>
    public byte[] Snapshot()
    {
        lock (_lock) return Write(isWhole: true);
    }

    /// <summary>Lets a browser look on: first everything, from then on what is new. Null when too many do already.</summary>
    public LiveStream.Listener? Listen()
    {
        if (Stream.IsFull) return null;
        lock (_lock)
        {
            // The first one to look on knows everything with that: what came before is no news to anybody.
            if (Stream.Count == 0)
            {
                _curves.Settle();
                _sentEvents = _feed.Last;
            }
            return Stream.Add(LiveStream.Framed("all", Write(isWhole: true)));
        }
    }

    private byte[] Write(bool isWhole)
    {
        var view = new LiveView(_facts, _progress, _curves, _nodes, _feed, _traces.Steps, _time.GetUtcNow(), _time.GetElapsedTime(_startedAt));
        return LiveJson.Write(view, isWhole ? null : _sentEvents);
    }

    public void Dispose() => Stream.Dispose();
}
