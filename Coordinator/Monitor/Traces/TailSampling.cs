using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// Which traces stay, decided when their root has ended: those of every n-th step, and always those that somebody will
/// look for: slow, failed, computed again, with leaves that went to another worker.
/// </summary>
/// <param name="every">0 = none for their number's sake.</param>
public sealed class TailSampling(long every)
{
    /// <summary>A step is slow at so many times the median of the recent ones.</summary>
    private const int SlowFactor = 3;

    /// <summary>Steps that the median looks back on, and how many of them it takes before a step can be called slow.</summary>
    private const int Window = 64, Enough = 8;

    private readonly Queue<long> _recent = new();

    /// <summary>Everything stays: there is nothing to wait for.</summary>
    public bool KeepsAll => every == 1;

    /// <param name="step">Null for a trace that is none of a step: it stays.</param>
    /// <param name="spans">Of the trace, merged.</param>
    public bool Keeps(long? step, SpanRecord root, IEnumerable<SpanRecord> spans)
    {
        ArgumentNullException.ThrowIfNull(root);
        var isSlow = IsSlow(root.DurationNanoseconds);
        if (step is not { } number || root.Name != ClusterTelemetry.Spans.Step) return true;
        return every > 0 && number % every == 0 || isSlow || root.Error is not null
            || SpanMerge.TagOf(root, ClusterTelemetry.Tags.Recovered) is not null
            || SpanMerge.TagOf(root, ClusterTelemetry.Tags.Attempt) is { } attempt && attempt != "1"
            || spans.Any(static s => s.Error is not null || s.Name == ClusterTelemetry.Spans.Lease && s.Links.Count > 0);
    }

    private bool IsSlow(long nanoseconds)
    {
        var isSlow = _recent.Count >= Enough && nanoseconds > SlowFactor * _recent.Order().ElementAt(_recent.Count / 2);
        _recent.Enqueue(nanoseconds);
        if (_recent.Count > Window) _recent.Dequeue();
        return isSlow;
    }
}
