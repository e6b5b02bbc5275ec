using System.Globalization;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using static Cluster.Contracts.ClusterTelemetry;

namespace Cluster.Coordinator.Monitor.Tests.Traces;

/// <summary>Spans of a run named "run" for specs; times in milliseconds after an origin.</summary>
internal static class Made
{
    public const string RunId = "run";
    public const long Origin = 1_700_000_000_000_000_000, Ms = 1_000_000;

    public static SpanRecord Root(long step, double from = 0, double to = 100, params SpanTag[] tags)
    {
        var context = StepTrace.ContextOf(RunId, new StepId(step));
        return Span(step, context.SpanId, 0, Spans.Step, from, to, [new SpanTag(Tags.Step, step.ToString(CultureInfo.InvariantCulture)), .. tags]);
    }

    /// <param name="parent">0 = the root.</param>
    public static SpanRecord Child(long step, ulong id, string name, double from, double to, ulong parent = 0, params SpanTag[] tags) =>
        Span(step, id, parent == 0 ? StepTrace.ContextOf(RunId, new StepId(step)).SpanId : parent, name, from, to, tags);

    public static SpanLink Link(long step, ulong id, params SpanTag[] tags)
    {
        var context = StepTrace.ContextOf(RunId, new StepId(step));
        return new SpanLink(context.TraceIdHigh, context.TraceIdLow, id, tags);
    }

    private static SpanRecord Span(long step, ulong id, ulong parent, string name, double from, double to, SpanTag[] tags)
    {
        var context = StepTrace.ContextOf(RunId, new StepId(step));
        return new SpanRecord(context.TraceIdHigh, context.TraceIdLow, id, parent, name, Origin + (long)(from * Ms), (long)((to - from) * Ms), tags, [], null);
    }

    public static CommitLine Line(long step, double milliseconds = 50) => new(
        new CommitRecord(Term.First, new StepId(step), 1, 0, 64, 1.5, 0.5, 1, 1, 0.1, true, [new LeafRecord(new WorkerId(0), 64, 7)]), milliseconds);

    public static SpanBatch Batch(params SpanRecord[] spans) => new(spans, 0);

    public static CommittedStep Committed(long step) => new(Line(step).Record, TimeSpan.Zero, false, 1, DateTimeOffset.UnixEpoch);

    public static (string, SpanRecord)[] Of(string process, params SpanRecord[] spans) => [.. spans.Select(s => (process, s))];
}
