using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>The spans of the last steps, in memory, for whoever shows them. Written on the watch thread, read from any.</summary>
public sealed class RecentTraces(int capacity = RecentTraces.DefaultCapacity)
{
    /// <summary>Steps that are kept: what a page shows, several times over.</summary>
    public const int DefaultCapacity = 200;

    /// <summary>Spans of one step that are kept: 64 workers with ten leaves of five spans each, twice over. The file holds the others.</summary>
    private const int MaxSpans = 8_192;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, List<(string Process, SpanRecord Span)>> _steps = [];

    /// <summary>Steps of which something is known, lowest first.</summary>
    public IReadOnlyList<long> Steps
    {
        get
        {
            lock (_lock) return [.. _steps.Keys];
        }
    }

    /// <summary>What is known of a step by now, roots merged; empty when nothing is, or no longer.</summary>
    public IReadOnlyList<(string Process, SpanRecord Span)> Of(long step)
    {
        (string, SpanRecord)[] spans;
        lock (_lock)
        {
            if (!_steps.TryGetValue(step, out var known)) return [];
            spans = [.. known];
        }
        return SpanMerge.Merged(spans);
    }

    /// <summary>On the watch thread.</summary>
    public void Add(long step, string process, SpanRecord span)
    {
        lock (_lock)
        {
            if (!_steps.TryGetValue(step, out var spans))
            {
                if (_steps.Count >= capacity)
                {
                    var oldest = _steps.First().Key;
                    if (step < oldest) return;
                    _steps.Remove(oldest);
                }
                _steps[step] = spans = new List<(string, SpanRecord)>(64);
            }
            if (spans.Count < MaxSpans) spans.Add((process, span));
        }
    }
}
