using System.Security.Cryptography;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>A launched run, or this machine's part of one, over several hosts: what <see cref="LaunchedRun"/> is on one machine.</summary>
internal static class HostedRun
{
    /// <summary>What can be done to a process through a remote shell. Networks and other machines' kernels are out of reach.</summary>
    private static readonly FaultKind[] Strikable = [FaultKind.Kill, FaultKind.Leave];

    /// <summary>Machines of a torchrun-like start come up in any order; torchrun waits as long.</summary>
    private const string JoinPatience = "600";

    /// <summary>Runs with the coordinator on this machine.</summary>
    /// <param name="log">A value of <c>--log</c>; null = auto.</param>
    /// <returns>The exit code of <c>launch</c>.</returns>
    public static async Task<int> RunAsync(ResolvedRun run, RunFolder folder, HostRequest request, IReadOnlyList<FaultSpec> faults, string? log, CancellationToken stop)
    {
        HostPlan plan;
        try
        {
            Refuse(faults);
            plan = request.Plan((int)run.Options.Ps, (int)run.Options.Workers);
            if (request.Shell is { } shell) await shell.ProbeAsync(plan.Nodes.Select(static n => n.Host).OfType<string>(), stop);
        }
        catch (UserMistakeException)
        {
            folder.DiscardIfNothingCommitted();
            throw;
        }
        var result = await SuperviseAsync(plan, request, folder.Location, [], faults, log, stop);
        return SupervisedRun.Conclude(result, folder, stop);
    }

    /// <summary>Adds this machine's workers to a run that another machine coordinates.</summary>
    /// <param name="given">Options of the run that were given here: a worker's own data folder and device among them.</param>
    public static async Task<int> JoinAsync(HostRequest request, IEnumerable<Setting> given, string? log, CancellationToken stop)
    {
        string[] own = [.. given.Where(static s => s.Row.Key is "data" or "device").SelectMany(static s => (string[])[s.Row.Flag, s.Text ?? ""]), "--patience", JoinPatience];
        var result = await SuperviseAsync(request.Plan(ps: 0, workers: 0), request, folder: null, own, [], log, stop);
        return SupervisedRun.Conclude(result, folder: null, stop);
    }

    /// <exception cref="UserMistakeException">One of them does not reach other hosts.</exception>
    internal static void Refuse(IEnumerable<FaultSpec> faults)
    {
        if (faults.FirstOrDefault(static f => !f.Facts.IsInside && !Strikable.Contains(f.Kind)) is { } unknown)
            throw new UserMistakeException($"--fault {unknown}: over several hosts launch cannot do {unknown.Facts.Word}; it can do {string.Join(", ", FaultKinds.All.Where(static k => k.IsInside || Strikable.Contains(k.Kind)).Select(static k => k.Word))}");
    }

    private static async Task<SupervisorResult> SuperviseAsync(
        HostPlan plan, HostRequest request, string? folder, string[] own, IReadOnlyList<FaultSpec> faults, string? log, CancellationToken stop)
    {
        var secret = request.Security.Secret.Length == 0 && request.Torchrun is null ? Convert.ToHexString(RandomNumberGenerator.GetBytes(32)) : request.Security.Secret;
        using var tls = request.Security.LoadOwn();
        var inside = new InsideFaults(faults);
        var struck = faults.Where(static f => !f.Facts.IsInside).Select(static f => f.Step).ToHashSet();
        var children = new HostedNodes(plan, request, secret, folder, struck, inside, own, log).Children();
        var printer = LogPrinter.ForConsole([.. children.Select(static c => c.Name)], bare: NodeOptions.Coordinator, log);
        foreach (var note in request.Torchrun?.Notes ?? []) printer.Said(null, note);
        printer.Said(null, plan.ToString());
        await using var link = SupervisedRun.LinkTo(plan.Coordinator, secret, tls, struck, inside, printer);
        return await SupervisedRun.RunAsync(children, printer, link, tls, faults, (supervisor, _) =>
        {
            var members = new MemberFaults(supervisor, inside, static name => throw new InvalidOperationException($"{name} cannot be added"), static () => { });
            return new ProcessFaults(supervisor).Kinds.Concat(members.Kinds).Where(static k => Strikable.Contains(k.Key)).ToDictionary();
        }, stop);
    }
}
