using Cluster.Cli.Configuration;
using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>traces.jsonl of a run, and the spans of its last steps for who shows them.</summary>
internal static class TraceWatching
{
    /// <returns>Null when nothing is traced.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        if (SpanRecorder.IsDisabled) return null;
        var every = context.Options.TraceEvery;
        var folder = context.Folder.Location;
        var file = TraceFile.Open(folder, Warn);
        var store = new TraceStore(
            context.Run.RunId, file, new TailSampling(every),
            context.Logged.Count == 0 ? null : () => new TraceReader(folder).Lines(Contracts.Limits.TraceTailBytes),
            tail => RootRecovery.Missing(context.Run.RunId, context.Logged, tail, step => every > 0 && step % every == 0, NowNanoseconds()),
            TimeProvider.System, Warn);
        context.Traces = store.Recent;
        return store;

        void Warn(string sentence)
        {
            context.Folder.Events.Append("spans-lost", sentence, "coordinator");
            context.Say(sentence);
        }
    }

    private static long NowNanoseconds() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
}
