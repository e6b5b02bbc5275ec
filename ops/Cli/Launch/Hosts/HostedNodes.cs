using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>The processes of a plan as a supervisor starts them: here, or through a remote shell.</summary>
/// <param name="folder">Of the run; null where the coordinator is another launch's.</param>
/// <param name="own">More options for workers of this launch.</param>
internal sealed class HostedNodes(
    HostPlan plan, HostRequest request, string secret, string? folder, IReadOnlySet<StepId> struck, InsideFaults inside, string[] own, string? log)
{
    public IReadOnlyList<ChildSpec> Children() => [.. plan.Nodes.Select(Child)];

    private ChildSpec Child(PlannedNode node)
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { [NodeOptions.SecretVariable] = secret };
        if (node.Role == NodeOptions.Coordinator) environment[FaultGate.Variable] = string.Join(',', struck);
        var arguments = ArgumentsOf(node);
        var (file, words) = node.Host is { } host
            ? request.Shell!.Line(host, arguments)
            : (Environment.ProcessPath ?? throw new ClusterException("this process does not know its own program"), arguments);
        return new ChildSpec(node.Name, file, words, environment)
        {
            IsRemote = node.Host is not null,
            EndsRun = node.Role == NodeOptions.Coordinator,
            EnvironmentAtStart = () => inside.EnvironmentOf(node.Name),
        };
    }

    private string[] ArgumentsOf(PlannedNode node)
    {
        List<string> arguments = ["node", "--role", node.Role];
        if (node.Role == NodeOptions.Coordinator) arguments.AddRange(["--run", folder!]);
        else arguments.AddRange([.. node.IsNamed ? (string[])["--name", node.Name] : [], "--join", plan.Coordinator.ToString()]);
        if (node.Listen is { } listen) arguments.AddRange(["--listen", listen.ToString()]);
        // What the hostfile calls a host is what its processes are told apart by: several may share a machine's name.
        if (node.Host is { } host) arguments.AddRange(["--host-name", host]);
        if (node.Role == NodeOptions.Worker) arguments.AddRange(own);
        if (log is not null) arguments.AddRange(["--log", log]);
        return [.. arguments, .. request.Security.Arguments];
    }
}
