using System.Buffers;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// Keeps the spans of a run: the last steps in memory, all that <see cref="TailSampling"/> keeps in traces.jsonl. Written
/// whenever the watchers rest. A full disk loses spans, counts them and says so once.
/// </summary>
public sealed class TraceStore : IRunWatcher
{
    /// <summary>Spans that are remembered: what the processes of a run send again after a cut, several times over. A megabyte.</summary>
    private const int MaxSeen = 32_768;

    /// <summary>How long a trace is waited for after its root: other processes tell of theirs ten times a second.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private sealed class Undecided
    {
        public List<(string Process, SpanRecord Span)> Spans { get; } = [];
        public long? RootAt { get; set; }
    }

    private readonly TraceFile _file;
    private readonly string _runId;
    private readonly TailSampling _sampling;
    private readonly StepAddresses _addresses;
    private readonly TimeProvider _time;
    private readonly Action<string> _warn;
    private readonly ArrayBufferWriter<byte> _lines = new(64 * 1024);
    private readonly Dictionary<(ulong High, ulong Low), List<SpanRecord>> _byTrace = [];
    private readonly Stack<List<SpanRecord>> _spareLists = new();
    private readonly Dictionary<(ulong High, ulong Low), Undecided> _undecided = [];
    private readonly HashSet<(ulong High, ulong Low)> _kept = [];
    private readonly HashSet<(ulong High, ulong Low)> _discarded = [];
    private readonly Queue<(ulong High, ulong Low)> _decided = new();
    private readonly Dictionary<string, long> _dropped = new(StringComparer.Ordinal);
    private Func<IEnumerable<TraceLine>>? _tail;
    private readonly Func<IEnumerable<TraceLine>, IReadOnlyList<SpanRecord>> _missingRoots;
    private bool _saidSegments;

    /// <summary>Spans that are in the file: a process whose link was cut tells of its last ones again.</summary>
    private readonly HashSet<ulong> _seen = [];
    private readonly Queue<ulong> _seenInOrder = new();

    /// <param name="file">Owned from here on.</param>
    /// <param name="tail">The end of what earlier processes wrote; read once, on the watch thread. Null = the run begins.</param>
    /// <param name="missingRoots">From that to the roots that it lacks.</param>
    /// <param name="warn">For a person, and for events.jsonl: what is lost.</param>
    public TraceStore(string runId, TraceFile file, TailSampling sampling, Func<IEnumerable<TraceLine>>? tail, Func<IEnumerable<TraceLine>, IReadOnlyList<SpanRecord>> missingRoots, TimeProvider time, Action<string> warn)
    {
        _runId = runId;
        _file = file;
        _sampling = sampling;
        _tail = tail;
        _missingRoots = missingRoots;
        _time = time;
        _warn = warn;
        _addresses = new StepAddresses(runId);
    }

    public RecentTraces Recent { get; } = new();

    /// <summary>Spans that some process, or this one, threw away for want of room.</summary>
    public long Dropped => _dropped.Values.Sum();

    public void Begun(StepId step, DateTimeOffset at) => _addresses.Know(step.Value);

    public void Committed(CommittedStep step) => _addresses.Know(step.Record.Step.Value);

    public void Traced(string process, SpanBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Recover();
        foreach (var span in batch.Spans)
        {
            if (!IsNew(span)) continue;
            if (_addresses.Of(span) is { } step) Recent.Add(step, process, span);
            Gather(span);
        }
        foreach (var ((high, low), spans) in _byTrace)
        {
            if (_sampling.KeepsAll) TraceLine.Write(_lines, process, spans);
            else Hold((high, low), process, spans);
            spans.Clear();
            _spareLists.Push(spans);
        }
        _byTrace.Clear();
        if (batch.Dropped <= _dropped.GetValueOrDefault(process)) return;
        _dropped[process] = batch.Dropped;
        TraceLine.WriteDropped(_lines, process, batch.Dropped);
    }

    /// <summary>A root may come again from who goes on with its step.</summary>
    private bool IsNew(SpanRecord span)
    {
        if (span.ParentId == 0) return true;
        if (!_seen.Add(span.SpanId)) return false;
        _seenInOrder.Enqueue(span.SpanId);
        if (_seenInOrder.Count > MaxSeen) _seen.Remove(_seenInOrder.Dequeue());
        return true;
    }

    private void Gather(SpanRecord span)
    {
        var key = (span.TraceIdHigh, span.TraceIdLow);
        if (!_byTrace.TryGetValue(key, out var spans)) _byTrace[key] = spans = _spareLists.TryPop(out var spare) ? spare : [];
        spans.Add(span);
    }

    private void Hold((ulong, ulong) trace, string process, List<SpanRecord> spans)
    {
        if (_discarded.Contains(trace)) return;
        if (_kept.Contains(trace))
        {
            TraceLine.Write(_lines, process, spans);
            return;
        }
        if (!_undecided.TryGetValue(trace, out var undecided))
        {
            if (_undecided.Count >= Limits.TracesUndecided) Decide(_undecided.First().Key);
            _undecided[trace] = undecided = new Undecided();
        }
        foreach (var span in spans)
        {
            undecided.Spans.Add((process, span));
            if (span.ParentId == 0) undecided.RootAt = _time.GetTimestamp();
        }
    }

    private void Decide((ulong High, ulong Low) trace)
    {
        _undecided.Remove(trace, out var undecided);
        var merged = SpanMerge.Merged(undecided!.Spans);
        var step = _addresses.Of(merged[0].Span);
        var root = merged.Select(static s => s.Span).FirstOrDefault(static s => s.ParentId == 0);
        // Without a root, of a coordinator that was killed, it is one of those that somebody will look for.
        var keeps = root is null || _sampling.Keeps(step, root, merged.Select(static s => s.Span));
        (keeps ? _kept : _discarded).Add(trace);
        _decided.Enqueue(trace);
        if (_decided.Count > Limits.TracesUndecided)
        {
            var forgotten = _decided.Dequeue();
            _kept.Remove(forgotten);
            _discarded.Remove(forgotten);
        }
        if (!keeps) return;
        foreach (var byProcess in undecided.Spans.GroupBy(static s => s.Process, StringComparer.Ordinal)) TraceLine.Write(_lines, byProcess.Key, [.. byProcess.Select(static s => s.Span)]);
    }

    public void Rested()
    {
        Recover();
        if (_undecided.Count > 0)
        {
            var now = _time.GetTimestamp();
            foreach (var (trace, undecided) in _undecided.ToArray())
                if (undecided.RootAt is { } at && _time.GetElapsedTime(at, now) > Grace) Decide(trace);
        }
        Flush();
    }

    /// <summary>Before anything is written: what the processes tell once more is known then, and committed steps have their roots.</summary>
    private void Recover()
    {
        if (_tail is not { } tail) return;
        _tail = null;
        try
        {
            foreach (var root in _missingRoots(tail().Select(Remembered))) TraceLine.Write(_lines, "coordinator", [root]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _warn($"Roots of earlier steps are not looked for: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private TraceLine Remembered(TraceLine line)
    {
        foreach (var span in line.Spans) IsNew(span);
        return line;
    }

    private void Flush()
    {
        if (_lines.WrittenCount == 0) return;
        _file.Append(_lines.WrittenSpan);
        _lines.ResetWrittenCount();
        if (_file.DroppedSegments == 0 || _saidSegments) return;
        _saidSegments = true;
        _warn($"{TraceFile.Name} is full: the oldest traces are dropped, {2 * Limits.TraceSegmentBytes >> 20} MiB of the newest stay. --trace-every N keeps fewer.");
    }

    public void Dispose()
    {
        foreach (var trace in _undecided.Keys.ToArray()) Decide(trace);
        Recover();
        Flush();
        _file.Dispose();
    }
}
