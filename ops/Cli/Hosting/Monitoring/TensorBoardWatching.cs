using System.Net;
using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.TensorBoard;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>TensorBoard event files of a run, in its folder under <c>tensorboard/</c>.</summary>
internal static class TensorBoardWatching
{
    public const string FolderName = "tensorboard";

    /// <returns>Null when the run does without.</returns>
    public static IRunWatcher? Open(MonitoringContext context)
    {
        if (!context.Options.TensorBoard) return null;
        var folder = Path.Combine(context.Folder.Location, FolderName);
        var file = new EventFile(folder, Dns.GetHostName(), TimeProvider.System, context.Say);
        var watcher = new TensorBoardWatcher(file, EventFileScan.OfFolder(folder), context.Logged, context.Layout, context.Options.HistogramEvery, TimeProvider.System, context.Say);
        if (context.Options.HistogramEvery > 0) context.Look = watcher.Look;
        return watcher;
    }
}
