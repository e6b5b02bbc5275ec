using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>
/// The spans of a step's leases: begun with the grant, ended when every leaf is reported, when the attempt is void or
/// when the worker is lost. One that takes leaves that others had, or an earlier attempt, is linked to theirs.
/// </summary>
/// <remarks>Its actor's alone.</remarks>
internal sealed class LeaseSpans
{
    /// <summary>What OpenTelemetry keeps of a span's links.</summary>
    private const int MaxLinks = 128;

    /// <summary>The step was decided without this lease: others had its leaves.</summary>
    private const string NotNeeded = "not needed";

    private sealed class Held
    {
        public required WorkerId Worker { get; init; }
        public required int Attempt { get; init; }
        public required IReadOnlyList<LeafRange> Leaves { get; init; }
        public required TraceContext Context { get; init; }
        public required HashSet<int> Missing { get; init; }
        public Activity? Span { get; set; }

        public void End(string? error)
        {
            if (error is not null) Span?.SetStatus(ActivityStatusCode.Error, error);
            Span?.Dispose();
            Span = null;
        }
    }

    private readonly List<Held> _held = [];

    /// <summary>The context for the grant's message. A grant that is sent once more belongs to the lease that it repeats.</summary>
    public TraceContext Granted(StepEffect.Grant grant, int attempt, TraceContext step)
    {
        if (grant.Leases.Count == 0 || !ClusterTelemetry.Source.HasListeners()) return step;
        var same = _held.FindLast(h => h.Worker == grant.Worker && h.Attempt == attempt && h.Span is not null && grant.Leases.All(run => h.Leaves.Any(l => l.First <= run.First && run.End <= l.End)));
        if (same is not null) return same.Context;
        var links = _held.Where(h => (h.Attempt == attempt ? h.Span is null || h.Worker != grant.Worker : h.Attempt == attempt - 1) && Overlap(h.Leaves, grant.Leases)).TakeLast(MaxLinks)
            .Select(static h => new ActivityLink(h.Context.ToActivityContext(), new ActivityTagsCollection { [ClusterTelemetry.Tags.Worker] = h.Worker.ToString() }));
        var span = StepTrace.StartDetached(ClusterTelemetry.Spans.Lease, step, links);
        if (span is null) return step;
        span.SetTag(ClusterTelemetry.Tags.Worker, grant.Worker.ToString()).SetTag(ClusterTelemetry.Tags.Attempt, attempt).SetTag(ClusterTelemetry.Tags.Leaves, string.Join(',', grant.Leases));
        var held = new Held
        {
            Worker = grant.Worker,
            Attempt = attempt,
            Leaves = grant.Leases,
            Context = TraceContext.From(span),
            Missing = [.. grant.Leases.SelectMany(static run => Enumerable.Range(run.First, run.Count))],
            Span = span,
        };
        _held.Add(held);
        return held.Context;
    }

    private static bool Overlap(IReadOnlyList<LeafRange> some, IReadOnlyList<LeafRange> others) =>
        some.Any(s => others.Any(o => s.First < o.End && o.First < s.End));

    /// <param name="done">Of the open step.</param>
    public void Reported(LeafDone done)
    {
        foreach (var held in _held)
            if (held.Span is not null && held.Worker == done.Worker && held.Attempt == done.Attempt && held.Missing.Remove(done.Leaf) && held.Missing.Count == 0) held.End(error: null);
    }

    public void Lost(WorkerId worker, string cause)
    {
        foreach (var held in _held)
            if (held.Worker == worker) held.End(cause);
    }

    /// <summary>All that are open.</summary>
    /// <param name="error">Why they are void; null = the step is decided.</param>
    public void End(string? error)
    {
        foreach (var held in _held)
        {
            if (error is null) held.Span?.SetTag(ClusterTelemetry.Tags.Reason, NotNeeded);
            held.End(error);
        }
    }

    /// <summary>Another step begins.</summary>
    public void Clear()
    {
        End(error: null);
        _held.Clear();
    }
}
