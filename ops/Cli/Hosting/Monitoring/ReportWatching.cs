using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>report.html at the run's end of a run.</summary>
internal static class ReportWatching
{
    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        _ = context;
        return null;
    }
}
