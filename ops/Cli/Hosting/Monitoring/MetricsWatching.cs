using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>/metrics, /healthz of a run.</summary>
internal static class MetricsWatching
{
    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        _ = context;
        return null;
    }
}
