using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>A process that was killed, lost or ended: spans that it had not told of are gone with it.</summary>
/// <param name="Node">Null = all of them: the run was over.</param>
public sealed record ProcessEnd(string? Node, DateTimeOffset At);

/// <summary>What <see cref="TraceCheck"/> found.</summary>
/// <param name="Problems">Sentences; empty when the traces are whole.</param>
/// <param name="Excused">References to spans of processes that were killed.</param>
public sealed record TraceVerdict(IReadOnlyList<string> Problems, int Steps, int Spans, int Excused)
{
    public bool IsWhole => Problems.Count == 0;
}

/// <summary>
/// Holds the traces of a run against its log: every committed step has one trace with one root, every parent and link
/// is there (or belonged to a process that was killed meanwhile), every critical path adds up to its step's time.
/// </summary>
public static class TraceCheck
{
    /// <summary>Share of a step's time by which its critical path may miss it.</summary>
    private const double Tolerance = 0.03;

    /// <summary>Problems that are told one by one.</summary>
    private const int MaxProblems = 20;

    /// <summary>How long before its end a process may have ended a span that nobody heard of: tellers and writers yield to training.</summary>
    private const long LostNanoseconds = 10_000_000_000;

    /// <summary>What a clock read later may be earlier.</summary>
    private const long Slack = 1_000_000_000;

    /// <param name="steps">Committed ones whose traces are to be there.</param>
    /// <param name="dropped">Spans that processes have thrown away for want of room: so many may be missing.</param>
    public static TraceVerdict Run(string runId, IReadOnlyList<long> steps, IReadOnlyList<(string Process, SpanRecord Span)> spans, IReadOnlyList<ProcessEnd> ends, long dropped)
    {
        ArgumentNullException.ThrowIfNull(steps);
        ArgumentNullException.ThrowIfNull(spans);
        var problems = new List<string>();
        var more = 0;
        var excused = 0;
        var traces = spans.GroupBy(static s => (s.Span.TraceIdHigh, s.Span.TraceIdLow)).ToDictionary(static g => g.Key, static g => SpanMerge.Merged(g));
        var ids = spans.Select(static s => (s.Span.TraceIdHigh, s.Span.TraceIdLow, s.Span.SpanId)).ToHashSet();
        foreach (var step in steps)
        {
            var address = StepTrace.ContextOf(runId, new StepId(step));
            if (!traces.TryGetValue((address.TraceIdHigh, address.TraceIdLow), out var trace)) Tell($"step {step} is committed and has no trace");
            else CheckStep(step, trace);
        }
        foreach (var trace in traces.Values) CheckReferences(trace);
        if (more > 0) problems.Add(string.Create(CultureInfo.InvariantCulture, $"and {more} more"));
        return new TraceVerdict(problems, steps.Count, ids.Count, excused);

        void Tell(FormattableString problem)
        {
            if (problems.Count < MaxProblems) problems.Add(FormattableString.Invariant(problem));
            else more++;
        }

        void CheckStep(long step, IReadOnlyList<(string Process, SpanRecord Span)> trace)
        {
            var roots = trace.Count(static s => s.Span.ParentId == 0);
            if (roots != 1)
            {
                Tell($"the trace of step {step} has {roots} roots");
                return;
            }
            if (trace.Any(static s => s.Span.DurationNanoseconds < 0)) Tell($"a span of step {step} ends before it begins");
            var timeline = Timeline.Of(trace)!;
            var path = timeline.Path.Sum(static p => p.End - p.Start);
            if (Math.Abs(path - timeline.Root.DurationNanoseconds) > Tolerance * timeline.Root.DurationNanoseconds)
                Tell($"the critical path of step {step} is {path / 1e6:0.000} ms long, the step {timeline.Root.DurationNanoseconds / 1e6:0.000} ms");
        }

        void CheckReferences(IReadOnlyList<(string Process, SpanRecord Span)> trace)
        {
            var from = trace.Min(static s => s.Span.StartNanoseconds);
            var to = trace.Max(static s => SpanMerge.EndOf(s.Span));
            foreach (var (process, span) in trace)
            {
                if (span.ParentId != 0 && !ids.Contains((span.TraceIdHigh, span.TraceIdLow, span.ParentId))) Missing(process, span, "parent", "coordinator", from, to);
                foreach (var link in span.Links)
                    if (!ids.Contains((link.TraceIdHigh, link.TraceIdLow, link.SpanId))) Missing(process, span, "link", OwnerOf(span, link), from, to);
            }
        }

        void Missing(string process, SpanRecord span, string what, string owner, long from, long to)
        {
            excused++;
            if (ends.Any(end => IsOf(end, process == "local" ? "local" : owner) && Nanoseconds(end.At) is var at && at >= from - Slack && at <= to + LostNanoseconds)) return;
            if (dropped > 0)
            {
                dropped--;
                return;
            }
            excused--;
            Tell($"the {what} of {process}'s '{span.Name}' ({span.SpanId:x16} in trace {span.TraceIdHigh:x16}{span.TraceIdLow:x16}) is nowhere, and {owner} was not killed then");
        }
    }

    private static bool IsOf(ProcessEnd end, string owner) =>
        end.Node is null || owner.EndsWith('-') ? end.Node is null || end.Node.StartsWith(owner, StringComparison.Ordinal) : end.Node == owner;

    /// <summary>Whose span a link leads to: a worker's where nodes are summed, a shard's (whichever process holds it) where weights came, else the coordinator's.</summary>
    private static string OwnerOf(SpanRecord span, SpanLink link) => span.Name switch
    {
        ClusterTelemetry.Spans.Reduce => link.Tags.FirstOrDefault(static t => t.Name == ClusterTelemetry.Tags.Worker).Text ?? "worker-",
        ClusterTelemetry.Spans.WeightsReceived => "ps-",
        _ => "coordinator",
    };

    private static long Nanoseconds(DateTimeOffset at) => (at.UtcDateTime - DateTime.UnixEpoch).Ticks * 100;
}
