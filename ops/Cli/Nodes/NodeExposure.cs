using System.Net;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Health;
using Cluster.Coordinator.Monitor.Metrics;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Cli.Nodes;

/// <summary>/metrics and /healthz of a worker or a ps, on an address of its own. Any thread.</summary>
internal sealed class NodeExposure : IAsyncDisposable
{
    private readonly NodeTable _table = new();
    private readonly Lock _lock = new();
    private MonitorServer? _server;

    private NodeExposure() { }

    public NodeHealth Health { get; } = new(TimeProvider.System.GetUtcNow());

    /// <param name="address">HOST:PORT.</param>
    /// <exception cref="UserMistakeException">It is no address, or one that cannot be listened at.</exception>
    public static async Task<NodeExposure> OpenAsync(string address)
    {
        var exposure = new NodeExposure();
        try
        {
            exposure._server = await MonitorServer.StartAsync(
                IPEndPoint.Parse(address), [MetricsRoute.Of("", exposure.Read), .. HealthRoutes.Of(exposure.Health, TimeProvider.System)]);
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            throw new UserMistakeException($"--monitor {address}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        Console.Error.WriteLine($"metrics and health at {exposure._server.Address}");
        return exposure;
    }

    /// <summary>Health that is served nowhere: for a service manager, which is told of it.</summary>
    public static NodeExposure Unserved() => new();

    public void Reported(string node, NodeReport report)
    {
        var now = TimeProvider.System.GetUtcNow();
        Health.Turned(now);
        lock (_lock) _table.Take(node, report, now);
    }

    private IReadOnlyList<MetricFamily> Read()
    {
        lock (_lock) return [.. _table.Families(TimeProvider.System.GetUtcNow())];
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
