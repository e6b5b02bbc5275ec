using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.Metrics;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>/metrics of a run.</summary>
internal static class MetricsWatching
{
    public static IRunWatcher Open(MonitoringContext context)
    {
        var metrics = new RunMetrics();
        context.Metrics = new MetricsWatcher(metrics, context.Plan.TotalSteps, context.Options.TraceEvery, context.Plan.Checkpoints.IsOn, TimeProvider.System);
        context.Routes.Add(MetricsRoute.Of(context.Run.RunId, () => metrics.Read(TimeProvider.System.GetUtcNow())));
        return context.Metrics;
    }
}
