using System.Security.Cryptography;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership;

namespace Cluster.Cli.Launch;

/// <summary>The processes of a launched run: what they are started with, and the supervisor's own link to the coordinator.</summary>
internal static class LaunchedRun
{
    /// <summary>Longest path of a Unix socket (sun_path) with room for the names of nodes.</summary>
    private const int LongestSocketFolder = 80;

    /// <summary>Kinds of faults that somebody carries out.</summary>
    private static readonly FaultKind[] Strikable = [.. ProcessFaults.All, .. MemberFaults.All, .. NetworkFaults.All];

    /// <summary>Whether somebody carries out this kind of fault.</summary>
    public static bool CanStrike(FaultKind kind) => kind.Facts().IsInside || Strikable.Contains(kind);

    /// <exception cref="UserMistakeException">One of them is of a kind that nobody carries out.</exception>
    public static void Refuse(IEnumerable<FaultSpec> faults)
    {
        if (faults.FirstOrDefault(static f => !CanStrike(f.Kind)) is { } unknown)
            throw new UserMistakeException($"--fault {unknown}: launch cannot do {unknown.Facts.Word}; it can do {string.Join(", ", FaultKinds.All.Where(static k => CanStrike(k.Kind)).Select(static k => k.Word))}");
    }

    /// <returns>The exit code of <c>launch</c>.</returns>
    public static async Task<int> RunAsync(ResolvedRun run, RunFolder folder, IReadOnlyList<FaultSpec> faults, CancellationToken stop)
    {
        Refuse(faults);
        var sockets = SocketFolder();
        try
        {
            var coordinator = new LinkAddress(LinkTransportKind.Unix, Path.Combine(sockets, "c"), 0);
            var secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
            using var network = NetworkFaults.Open(faults, sockets, coordinator, run.Options.Ps, run.Options.Seed);
            var inside = new InsideFaults(faults);
            var struck = faults.Where(static f => !f.Facts.IsInside).Select(static f => f.Step).ToHashSet();
            var (children, node) = Children(run, folder, struck, sockets, coordinator, secret, network, inside);
            var joining = faults.Where(static f => f.Kind == FaultKind.Join).Select(static f => f.Node);
            var printer = LogPrinter.ForConsole([.. children.Select(static c => c.Name), .. joining], bare: NodeOptions.Coordinator);
            await using var link = new SupervisorLink(coordinator, secret, struck) { Begun = inside.Begun };
            var supervisor = new Supervisor(children, RestartPolicy.Default, new EventingObserver(printer, link));
            void Say(string about, string sentence)
            {
                printer.Said(about, sentence);
                link.Happened("fault", about, sentence);
            }
            network.Said = Say;
            var members = new MemberFaults(supervisor, inside, name => node(NodeOptions.Worker, MemberNames.IndexIn(name, MemberRole.Worker)!.Value, []), () => File.Delete(coordinator.Name));
            var actuators = new ProcessFaults(supervisor).Kinds.Concat(members.Kinds).Concat(network.Kinds).ToDictionary();
            using var injector = new FaultInjector(faults, actuators, TimeProvider.System, Say);
            link.Start(supervisor, injector);
            using var stopping = stop.Register(supervisor.RequestStop);
            var result = await supervisor.RunAsync();
            injector.Ended();
            if (result.ExitCode == Verbs.ExitCodes.Done) return result.ExitCode;
            if (result.ExitCode == Verbs.ExitCodes.Interrupted) throw new OperationCanceledException(result.Reason, new ClusterException(result.Reason), stop);
            folder.DiscardIfNothingCommitted();
            throw result.ExitCode == Verbs.ExitCodes.BadInput ? new UserMistakeException(result.Reason) : new ClusterException(result.Reason);
        }
        finally
        {
            Directory.Delete(sockets, recursive: true);
        }
    }

    private static string SocketFolder()
    {
        var folder = Directory.CreateTempSubdirectory("cluster-").FullName;
        if (folder.Length <= LongestSocketFolder) return folder;
        Directory.Delete(folder);
        throw new UserMistakeException($"the folder for temporary files is too deep for a Unix socket: {folder}; set TMPDIR to a shorter one");
    }

    /// <returns>The processes that the run begins with, and how any other node is started.</returns>
    private static (List<ChildSpec> Children, Func<string, int, string[], ChildSpec> Node) Children(
        ResolvedRun run, RunFolder folder, IReadOnlySet<StepId> struck, string sockets, LinkAddress coordinator, string secret, NetworkFaults network, InsideFaults inside)
    {
        var program = Environment.ProcessPath ?? throw new ClusterException("this process does not know its own program");
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { [NodeOptions.SecretVariable] = secret };
        var children = new List<ChildSpec>
        {
            new(NodeOptions.Coordinator, program, ["node", "--role", NodeOptions.Coordinator, "--run", folder.Location, "--listen", coordinator.ToString()],
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
            new($"{role}-{index}", program, ["node", "--role", role, "--name", $"{role}-{index}", "--join", coordinator.ToString(), .. more],
                new Dictionary<string, string?>(environment, StringComparer.Ordinal) { [Detours.Variable] = network.RoutesOf($"{role}-{index}") })
            {
                EnvironmentAtStart = () => inside.EnvironmentOf($"{role}-{index}"),
            };
    }

    /// <summary>Where a parameter shard's node listens.</summary>
    internal static LinkAddress ShardAddress(string sockets, int shard) => new(LinkTransportKind.Unix, Path.Combine(sockets, "p" + shard), 0);

    /// <summary>What happens to processes is printed, and goes to events.jsonl through the coordinator.</summary>
    private sealed class EventingObserver(LogPrinter printer, SupervisorLink link) : ISupervisorObserver
    {
        public void Line(string child, bool isError, string text) => printer.Line(child, isError, text);

        public void Said(string? child, string sentence)
        {
            printer.Said(child, sentence);
            link.Happened("process", child ?? "launch", sentence);
        }

        public void Started(string child, int process) => link.Happened("process-started", child, $"{child} runs as process {process}.");

        public void Exited(string child, int process, ChildEnd end) => link.Happened("process-ended", child, $"{child} (process {process}) {end}.");
    }
}
