using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.Live;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>The live page of a run.</summary>
internal static class PageWatching
{
    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        if (context.Options.Monitor == "none") return null;
        var traces = context.Traces ?? new RecentTraces();
        var plan = context.Plan;
        var facts = new LiveFacts(
            plan.RunId, Path.GetFileName(Path.TrimEndingDirectorySeparator(context.Folder.Location)), context.Description, plan.TotalSteps, plan.Samples, plan.Batch,
            (int)context.Options.Workers, (int)context.Options.Ps);
        var run = new LiveRun(facts, context.Logged, PageHistory.Read(context.Folder.Location), traces, keepsTraces: context.Traces is null, TimeProvider.System);
        context.Routes.AddRange(LiveRoutes.Of(run, traces));
        return run;
    }
}
