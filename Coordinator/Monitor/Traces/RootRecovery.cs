using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// A coordinator that is killed between a step's record and the flush of its spans leaves a committed step whose trace has
/// no root. Who goes on with the run writes it, from the log and from what other processes told of the step.
/// </summary>
public static class RootRecovery
{
    /// <summary>Steps at the end of the log that are looked at: those before were looked at by those who went on before.</summary>
    private const int MaxSteps = 1_000;

    /// <param name="logged">What the log holds, in order.</param>
    /// <param name="tail">The end of traces.jsonl.</param>
    /// <param name="isKept">Whether the trace of a step is to be there at all.</param>
    /// <param name="now">Nanoseconds since 1970: when a step of which nothing is known must have ended.</param>
    /// <returns>The missing roots, in order.</returns>
    public static IReadOnlyList<SpanRecord> Missing(string runId, IReadOnlyList<CommitLine> logged, IEnumerable<TraceLine> tail, Func<long, bool> isKept, long now)
    {
        ArgumentNullException.ThrowIfNull(logged);
        ArgumentNullException.ThrowIfNull(tail);
        ArgumentNullException.ThrowIfNull(isKept);
        var last = logged.TakeLast(MaxSteps).ToArray();
        if (last.Length == 0) return [];
        var addresses = last.ToDictionary(line => line.Record.Step.Value, line => StepTrace.ContextOf(runId, line.Record.Step));
        var steps = addresses.ToDictionary(static a => (a.Value.TraceIdHigh, a.Value.TraceIdLow), static a => a.Key);
        var known = new Dictionary<long, (bool HasRoot, long Start, long End)>();
        foreach (var line in tail)
        {
            if (!steps.TryGetValue((line.TraceIdHigh, line.TraceIdLow), out var step)) continue;
            foreach (var span in line.Spans)
            {
                var (hasRoot, start, end) = known.GetValueOrDefault(step, (false, long.MaxValue, long.MinValue));
                // A root that ended without the record's words is that of an attempt which was not the last.
                var isRoot = span.ParentId == 0 && SpanMerge.TagOf(span, ClusterTelemetry.Tags.Loss) is not null;
                known[step] = (hasRoot || isRoot, Math.Min(start, span.StartNanoseconds), Math.Max(end, SpanMerge.EndOf(span)));
            }
        }
        // Before the first step that the tail knows of, nothing can be said.
        var first = known.Count == 0 || known.ContainsKey(1) || last[0].Record.Step.Value == 1 ? last[0].Record.Step.Value : known.Where(static k => k.Value.HasRoot).Select(static k => k.Key).DefaultIfEmpty(long.MaxValue).Min();
        var missing = new List<SpanRecord>();
        var before = 0L;
        foreach (var line in last)
        {
            var step = line.Record.Step.Value;
            var took = double.IsFinite(line.Milliseconds) && line.Milliseconds > 0 ? (long)(line.Milliseconds * 1e6) : 0;
            var (hasRoot, start, end) = known.GetValueOrDefault(step, (false, 0, 0));
            if (end == 0) (start, end) = before > 0 ? (before, before + took) : (now - took, now);
            if (!hasRoot && step >= first && isKept(step)) missing.Add(RootOf(addresses[step], line.Record, start, Math.Max(end, start + took)));
            before = Math.Max(before, end);
        }
        return missing;
    }

    private static SpanRecord RootOf(TraceContext context, CommitRecord record, long start, long end) => new(
        context.TraceIdHigh, context.TraceIdLow, context.SpanId, 0, ClusterTelemetry.Spans.Step, start, end - start,
        [
            new SpanTag(ClusterTelemetry.Tags.Step, record.Step.ToString()), new SpanTag(ClusterTelemetry.Tags.Term, record.Term.ToString()),
            new SpanTag(ClusterTelemetry.Tags.Attempt, record.Attempt.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            new SpanTag(ClusterTelemetry.Tags.Loss, record.Loss.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            new SpanTag(ClusterTelemetry.Tags.Recovered, "true"),
        ],
        [], null);
}
