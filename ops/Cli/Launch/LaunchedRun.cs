using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Membership;

namespace Cluster.Cli.Launch;

/// <summary>A launched run from its first process to its last: the supervisor, its link to the coordinator, and the faults that were ordered.</summary>
internal static class LaunchedRun
{
    /// <summary>Kinds of faults that somebody carries out.</summary>
    private static readonly FaultKind[] Strikable = [.. ProcessFaults.All, .. MemberFaults.All, .. NetworkFaults.All];

    /// <summary>Whether somebody carries out this kind of fault.</summary>
    public static bool CanStrike(FaultKind kind) => kind.Facts().IsInside || Strikable.Contains(kind);

    /// <exception cref="UserMistakeException">One of them is of a kind that nobody carries out, or not with TLS.</exception>
    public static void Refuse(IEnumerable<FaultSpec> faults, LaunchSecurity? security = null)
    {
        if (security?.TlsFolder is not null && faults.FirstOrDefault(static f => f.Kind == FaultKind.Zombie) is { } zombie)
            throw new UserMistakeException($"--fault {zombie}: not with --tls, where a coordinator that stands still keeps its port; leave one of the two out");
        if (faults.FirstOrDefault(static f => !CanStrike(f.Kind)) is { } unknown)
            throw new UserMistakeException($"--fault {unknown}: launch cannot do {unknown.Facts.Word}; it can do {string.Join(", ", FaultKinds.All.Where(static k => CanStrike(k.Kind)).Select(static k => k.Word))}");
    }

    /// <param name="log">A value of <c>--log</c>; null = auto.</param>
    /// <returns>The exit code of <c>launch</c>.</returns>
    public static async Task<int> RunAsync(ResolvedRun run, RunFolder folder, IReadOnlyList<FaultSpec> faults, LaunchSecurity security, string? log, CancellationToken stop)
    {
        Refuse(faults, security);
        using var tls = security.LoadOwn();
        using var addresses = LaunchAddresses.Open(withTls: tls is not null);
        using var network = NetworkFaults.Open(faults, addresses, run.Options.Ps, run.Options.Seed);
        var inside = new InsideFaults(faults);
        var struck = faults.Where(static f => !f.Facts.IsInside).Select(static f => f.Step).ToHashSet();
        var (children, node) = LaunchedNodes.Of(run, folder, struck, addresses, security, network, inside, log);
        var joining = faults.Where(static f => f.Kind == FaultKind.Join).Select(static f => f.Node);
        var printer = LogPrinter.ForConsole([.. children.Select(static c => c.Name), .. joining], bare: NodeOptions.Coordinator, log);
        await using var link = SupervisedRun.LinkTo(addresses.Coordinator, security.Secret, tls, struck, inside, printer);
        var result = await SupervisedRun.RunAsync(children, printer, link, tls, faults, (supervisor, say) =>
        {
            network.Said = say;
            var members = new MemberFaults(supervisor, inside, name => node(NodeOptions.Worker, MemberNames.IndexIn(name, MemberRole.Worker)!.Value, []), addresses.FreeCoordinator);
            return new ProcessFaults(supervisor).Kinds.Concat(members.Kinds).Concat(network.Kinds).ToDictionary();
        }, stop);
        return SupervisedRun.Conclude(result, folder, stop);
    }
}
