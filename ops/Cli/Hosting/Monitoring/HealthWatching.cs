using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.Health;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>/healthz of a run.</summary>
internal static class HealthWatching
{
    public static IRunWatcher Open(MonitoringContext context)
    {
        context.Health = new RunHealth(TimeProvider.System);
        context.Routes.AddRange(HealthRoutes.Of(context.Health, TimeProvider.System));
        return context.Health;
    }
}
