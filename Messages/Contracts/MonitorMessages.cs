using MessagePack;

namespace Cluster.Contracts;

/// <summary>One attribute of a span.</summary>
[MessagePackObject]
public readonly record struct SpanTag([property: Key(0)] string Name, [property: Key(1)] string Text);

/// <summary>A span that this one continues or gathers; maybe of another trace.</summary>
[MessagePackObject]
public readonly record struct SpanLink(
    [property: Key(0)] ulong TraceIdHigh,
    [property: Key(1)] ulong TraceIdLow,
    [property: Key(2)] ulong SpanId,
    [property: Key(3)] IReadOnlyList<SpanTag> Tags);

/// <summary>A finished span, as it travels to the coordinator and lies in traces.jsonl.</summary>
/// <param name="ParentId">0 for a root.</param>
/// <param name="Name">One of <see cref="ClusterTelemetry.Spans"/>.</param>
/// <param name="StartNanoseconds">Since 1970, by the clock of the machine that it comes from.</param>
/// <param name="Error">Why it failed; null = it did not.</param>
[MessagePackObject]
public sealed record SpanRecord(
    [property: Key(0)] ulong TraceIdHigh,
    [property: Key(1)] ulong TraceIdLow,
    [property: Key(2)] ulong SpanId,
    [property: Key(3)] ulong ParentId,
    [property: Key(4)] string Name,
    [property: Key(5)] long StartNanoseconds,
    [property: Key(6)] long DurationNanoseconds,
    [property: Key(7)] IReadOnlyList<SpanTag> Tags,
    [property: Key(8)] IReadOnlyList<SpanLink> Links,
    [property: Key(9)] string? Error);

/// <summary>Node to coordinator: spans that ended since the last one. The link says whose they are.</summary>
/// <param name="Dropped">Spans that this process has thrown away since its start, for want of room.</param>
[MessagePackObject]
public sealed record SpanBatch([property: Key(0)] IReadOnlyList<SpanRecord> Spans, [property: Key(1)] long Dropped);

/// <summary>One figure of a <see cref="NodeReport"/>.</summary>
/// <param name="Name">Of an instrument of <see cref="ClusterTelemetry"/>.</param>
/// <param name="Tag">Value of its one tag (a lane, a reason, a device); empty when it has none.</param>
/// <param name="Value">Counters since the start of the process, gauges as they are.</param>
/// <param name="Count">Of a histogram: its observations, of which <paramref name="Value"/> is the sum. 0 for everything else.</param>
/// <param name="Buckets">Of a histogram: observations in each of its instrument's buckets, the one above the last bound too. Null for everything else.</param>
[MessagePackObject]
public readonly record struct NodeFigure(
    [property: Key(0)] string Name,
    [property: Key(1)] string Tag,
    [property: Key(2)] double Value,
    [property: Key(3)] long Count = 0,
    [property: Key(4)] IReadOnlyList<long>? Buckets = null);

/// <summary>Node to coordinator, once a second: how this process is.</summary>
[MessagePackObject]
public sealed record NodeReport([property: Key(0)] IReadOnlyList<NodeFigure> Figures);
