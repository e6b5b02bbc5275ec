using System.Diagnostics.Metrics;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>Every metric that is collected: those of <see cref="ClusterTelemetry"/>, and a part of what .NET says of itself.</summary>
public static class MetricCatalog
{
    /// <summary>.NET's own meter. https://learn.microsoft.com/dotnet/core/diagnostics/built-in-metrics-runtime</summary>
    public const string RuntimeMeter = "System.Runtime";

    /// <summary>Of the run as a whole.</summary>
    public static IReadOnlyList<MetricRow> OfRun { get; } = [.. ClusterTelemetry.Instruments.Where(ClusterTelemetry.OfRun.Contains).Select(MetricRow.Of)];

    /// <summary>Of a process: what a node report may tell.</summary>
    public static IReadOnlyList<MetricRow> OfProcess { get; } =
    [
        .. ClusterTelemetry.Instruments.Where(static i => !ClusterTelemetry.OfRun.Contains(i)).Select(MetricRow.Of),
        Runtime("dotnet.process.cpu.time", MetricKind.Counter, "s", "CPU time of the process, by mode.", "cpu.mode"),
        Runtime("dotnet.gc.collections", MetricKind.Counter, "{collection}", "Garbage collections, by generation.", "gc.heap.generation"),
        Runtime("dotnet.gc.pause.time", MetricKind.Counter, "s", "Time in which the garbage collector held all threads up."),
        Runtime("dotnet.gc.heap.total_allocated", MetricKind.Counter, "By", "Managed memory allocated since the process began."),
        Runtime("dotnet.gc.last_collection.heap.size", MetricKind.Gauge, "By", "Managed heap after the last collection, by generation.", "gc.heap.generation"),
        Runtime("dotnet.thread_pool.queue.length", MetricKind.Gauge, "{work_item}", "Work that waits for a thread of the pool."),
        Runtime("dotnet.monitor.lock_contentions", MetricKind.Counter, "{contention}", "Locks that somebody had to wait for."),
        Runtime("dotnet.exceptions", MetricKind.Counter, "{exception}", "Exceptions thrown, by type.", "error.type"),
    ];

    public static IReadOnlyList<MetricRow> All { get; } = [.. OfRun, .. OfProcess];

    private static readonly Dictionary<string, MetricRow> Processes = OfProcess.ToDictionary(static r => r.Name);

    /// <summary>A row of <see cref="OfProcess"/>; null for a name that is not there.</summary>
    public static MetricRow? OfProcessNamed(string name) => Processes.GetValueOrDefault(name);

    /// <summary>The row of an instrument of a process; null when it is not collected.</summary>
    public static MetricRow? OfProcessFor(Instrument instrument) =>
        instrument.Meter.Name is ClusterTelemetry.SourceName or RuntimeMeter ? OfProcessNamed(instrument.Name) : null;

    private static MetricRow Runtime(string name, MetricKind kind, string unit, string help, string? tag = null) => new(name, kind, unit, help, tag, []);
}
