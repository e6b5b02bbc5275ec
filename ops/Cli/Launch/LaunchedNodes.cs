using Cluster.Cli.Configuration;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>The processes of a launched run: where they listen, and what they are started with.</summary>
internal static class LaunchedNodes
{
    /// <returns>The processes that the run begins with, and how any other node is started.</returns>
    public static (List<ChildSpec> Children, Func<string, int, string[], ChildSpec> Node) Of(
        ResolvedRun run, RunFolder folder, IReadOnlySet<StepId> struck, LaunchAddresses addresses, LaunchSecurity security, NetworkFaults network, InsideFaults inside, string? log)
    {
        var program = Environment.ProcessPath ?? throw new ClusterException("this process does not know its own program");
        string[] form = [.. log is null ? Array.Empty<string>() : ["--log", log], .. security.Arguments];
        var coordinator = addresses.Coordinator;
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { [NodeOptions.SecretVariable] = security.Secret };
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
            children.Add(Node(NodeOptions.Shards, i, ["--listen", addresses.Shard(i).ToString()]));
        for (var i = 0; i < run.Options.Workers; i++) children.Add(Node(NodeOptions.Worker, i, []));
        return (children, Node);

        ChildSpec Node(string role, int index, string[] more) =>
            new($"{role}-{index}", program, ["node", "--role", role, "--name", $"{role}-{index}", "--join", coordinator.ToString(), .. form, .. more],
                new Dictionary<string, string?>(environment, StringComparer.Ordinal) { [Detours.Variable] = network.RoutesOf($"{role}-{index}") })
            {
                EnvironmentAtStart = () => inside.EnvironmentOf($"{role}-{index}"),
            };
    }
}
