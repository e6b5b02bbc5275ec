using Cluster.Contracts;
using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.Metrics;

namespace Cluster.Cli.Nodes;

/// <summary>Tells the figures of this process once a second, from a thread of its own.</summary>
internal sealed class NodeReporter : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ProcessMetrics _metrics = new(MetricCatalog.OfProcessFor);
    private readonly ManualResetEventSlim _over = new();
    private readonly Action<NodeReport> _tell;
    private readonly Thread _thread;

    private NodeReporter(Action<NodeReport> tell)
    {
        _tell = tell;
        _thread = new Thread(Run) { Name = "reports", IsBackground = true };
        _thread.Start();
    }

    /// <param name="tell">Returns at once.</param>
    public static NodeReporter Start(Action<NodeReport> tell) => new(tell);

    /// <summary>Of a worker or a ps: to the coordinator, and to whoever asks this process itself.</summary>
    /// <param name="send">To the coordinator; a report that it misses is followed by another.</param>
    /// <returns>Ends it.</returns>
    public static IDisposable Start(string name, NodeOptions node, Func<object, bool> send) => Start(report =>
    {
        send(report);
        node.Exposure?.Reported(name, report);
    });

    private void Run()
    {
        while (!_over.Wait(Pause)) _tell(_metrics.Read());
    }

    public void Dispose()
    {
        _over.Set();
        _thread.Join();
        _over.Dispose();
        _metrics.Dispose();
    }
}
