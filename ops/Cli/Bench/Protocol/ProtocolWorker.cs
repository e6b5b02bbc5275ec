using System.Globalization;
using Cluster.Cli.Nodes;
using Cluster.Link;

namespace Cluster.Cli.Bench.Protocol;

/// <summary>A worker process of a protocol benchmark: this program, started again with what it needs in its environment.</summary>
internal static class ProtocolWorker
{
    /// <summary>Name, coordinator's address and what a leaf does, with bars between.</summary>
    public const string Variable = "CLUSTER_BENCH_PROTOCOL_WORKER";

    public static string Value(string name, LinkAddress join, LeafLoad load) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}|{join}|{load.Milliseconds}|{load.IsBurning}|{load.Floats}");

    public static Task RunAsync(string value, CancellationToken stop)
    {
        var parts = value.Split('|');
        var load = new LeafLoad(double.Parse(parts[2], CultureInfo.InvariantCulture), bool.Parse(parts[3]), int.Parse(parts[4], CultureInfo.InvariantCulture));
        var options = new NodeOptions(NodeOptions.Worker, parts[0], LinkAddress.Parse(parts[1]), null, default);
        return WorkerNode.RunAsync(options, (_, data) => new EmptyEngines(data.ClassCount, load), stop);
    }
}
