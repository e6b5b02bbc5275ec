using Cluster.Cli.Configuration;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Launch;

/// <summary>The processes of a launched run: where they listen, and what they are started with.</summary>
internal static class LaunchedNodes
{
    /// <summary>Longest path of a Unix socket (sun_path) with room for the names of nodes.</summary>
    private const int LongestSocketFolder = 80;

    /// <summary>A new folder for the run's sockets.</summary>
    public static string SocketFolder()
    {
        var folder = Directory.CreateTempSubdirectory("cluster-").FullName;
        if (folder.Length <= LongestSocketFolder) return folder;
        Directory.Delete(folder);
        throw new UserMistakeException($"the folder for temporary files is too deep for a Unix socket: {folder}; set TMPDIR to a shorter one");
    }

    /// <returns>The processes that the run begins with, and how any other node is started.</returns>
    public static (List<ChildSpec> Children, Func<string, int, string[], ChildSpec> Node) Of(
        ResolvedRun run, RunFolder folder, IReadOnlySet<StepId> struck, string sockets, LinkAddress coordinator, string secret, NetworkFaults network, InsideFaults inside, string? log)
    {
        var program = Environment.ProcessPath ?? throw new ClusterException("this process does not know its own program");
        string[] form = log is null ? [] : ["--log", log];
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { [NodeOptions.SecretVariable] = secret };
        var children = new List<ChildSpec>
        {
            new(NodeOptions.Coordinator, program, ["node", "--role", NodeOptions.Coordinator, "--run", folder.Location, "--listen", coordinator.ToString(), .. form],
                new Dictionary<string, string?>(environment, StringComparer.Ordinal) { [FaultGate.Variable] = string.Join(',', struck) })
            {
                EndsRun = true,
                EnvironmentAtStart = () => inside.EnvironmentOf(NodeOptions.Coordinator),
            },
        };
        for (var i = 0; i < run.Options.Ps; i++)
            children.Add(Node(NodeOptions.Shards, i, ["--listen", ShardAddress(sockets, i).ToString()]));
        for (var i = 0; i < run.Options.Workers; i++) children.Add(Node(NodeOptions.Worker, i, []));
        return (children, Node);

        ChildSpec Node(string role, int index, string[] more) =>
            new($"{role}-{index}", program, ["node", "--role", role, "--name", $"{role}-{index}", "--join", coordinator.ToString(), .. form, .. more],
                new Dictionary<string, string?>(environment, StringComparer.Ordinal) { [Detours.Variable] = network.RoutesOf($"{role}-{index}") })
            {
                EnvironmentAtStart = () => inside.EnvironmentOf($"{role}-{index}"),
            };
    }

    /// <summary>Where a parameter shard's node listens.</summary>
    public static LinkAddress ShardAddress(string sockets, int shard) => new(LinkTransportKind.Unix, Path.Combine(sockets, "p" + shard), 0);
}
