using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>The live page of a run.</summary>
internal static class PageWatching
{
    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        _ = context;
        return null;
    }
}
