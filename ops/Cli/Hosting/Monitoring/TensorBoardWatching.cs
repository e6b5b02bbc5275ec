using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>TensorBoard event files of a run.</summary>
internal static class TensorBoardWatching
{
    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        _ = context;
        return null;
    }
}
