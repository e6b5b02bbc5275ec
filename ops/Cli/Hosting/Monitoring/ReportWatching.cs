using Cluster.Cli.Report;
using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>What report.html needs and nothing else keeps: evaluation.json and phases.json in the run's folder.</summary>
internal static class ReportWatching
{
    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context) => new ReportKeeper(context.Folder.Location, context.Options, context.Test, context.Logged.Count, TimeProvider.System, context.Say);
}
