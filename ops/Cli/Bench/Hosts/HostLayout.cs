using System.Globalization;
using Cluster.Cli.Nodes;
using Cluster.Membership;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>A process of a run over hosts.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Arguments">Of <c>node</c>, without those that all of them have.</param>
internal sealed record HostNode(string Name, int Host, string[] Arguments);

/// <summary>Which process runs on which host, and how it is started. Pure.</summary>
internal static class HostLayout
{
    private const int Port = 7000, GossipPort = 7100;

    /// <summary>Host 0 has the coordinator, the next ones a shard's process and a worker each, the others a worker.</summary>
    /// <param name="run">Folder of the run.</param>
    public static IReadOnlyList<HostNode> Static(HostRunOptions options, Func<int, string> addressOf, string run)
    {
        var join = At(addressOf(0), Port);
        return [new(NodeOptions.Coordinator, 0, ["--role", NodeOptions.Coordinator, "--run", run, "--listen", join]), .. Others(options, addressOf, first: 1, (_, _) => ["--join", join])];
    }

    /// <summary>Hosts 0 and 1 have a coordinator each, over the same folder; the others as above. Coordinators and shards vote.</summary>
    /// <param name="run">Folder of the run.</param>
    public static IReadOnlyList<HostNode> Gossiping(HostRunOptions options, Func<int, string> addressOf, string run)
    {
        var seeds = string.Join(',', Enumerable.Range(0, 3).Select(host => At(addressOf(host), GossipPort)));
        string[] Gossip(int host, int port) => ["--membership", MembershipEngines.Akka, "--seeds", seeds, "--cluster-listen", At(addressOf(host), port)];
        return
        [
            .. Enumerable.Range(0, 2).Select(host => new HostNode($"{NodeOptions.Coordinator}-{host}", host, ["--role", NodeOptions.Coordinator, "--run", run, "--listen", At(addressOf(host), Port), .. Gossip(host, GossipPort)])),
            .. Others(options, addressOf, first: 2, (host, isShard) => Gossip(host, isShard ? GossipPort : GossipPort + 1)),
        ];
    }

    private static IEnumerable<HostNode> Others(HostRunOptions options, Func<int, string> addressOf, int first, Func<int, bool, string[]> join)
    {
        for (var i = 0; i < Math.Max(options.Ps, options.Workers); i++)
        {
            var host = first + i;
            if (i < options.Ps) yield return new($"ps-{i}", host, ["--role", NodeOptions.Shards, "--name", $"ps-{i}", "--listen", At(addressOf(host), Port + 1), .. join(host, true)]);
            if (i < options.Workers) yield return new($"worker-{i}", host, ["--role", NodeOptions.Worker, "--name", $"worker-{i}", .. join(host, false)]);
        }
    }

    private static string At(string address, int port) => string.Create(CultureInfo.InvariantCulture, $"{address}:{port}");
}
