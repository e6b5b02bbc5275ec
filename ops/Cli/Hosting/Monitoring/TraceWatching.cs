using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>traces.jsonl and OTLP of a run.</summary>
internal static class TraceWatching
{
    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        _ = context;
        return null;
    }
}
