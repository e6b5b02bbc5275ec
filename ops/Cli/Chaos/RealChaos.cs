using System.Globalization;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Launch;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Chaos;

/// <summary>From a command line to a <see cref="ChaosRun"/> of this very program.</summary>
internal static class RealChaos
{
    /// <summary>Checkpoints of a run whose length is known: a torn one then has others before it, and little is replayed.</summary>
    private const int CheckpointsPerRun = 10;

    /// <summary>Options that go to the run in another way.</summary>
    private static readonly string[] OfTheShape = ["steps", "workers", "ps", "replicas", "out"];

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(ChaosRequest request, string? recipe, IReadOnlyList<Setting> given, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var run = RunResolver.Resolve(recipe, given, mistakes, new ResolveEnvironment());
        var shape = ShapeOf(run.Options);
        var steps = shape.Steps;
        var plan = PlanOf(request, shape, LaunchedRun.CanStrike);
        LaunchedRun.Refuse(plan.Faults);
        foreach (var row in plan.LeftOut) Console.Error.WriteLine($"[chaos]       left out: {row}");

        var arguments = new List<string>();
        if (recipe is not null) arguments.AddRange(["--recipe", recipe]);
        foreach (var setting in given.Where(static s => !OfTheShape.Contains(s.Row.Key))) arguments.AddRange([setting.Row.Flag, setting.Text ?? "null"]);
        if (given.All(static s => s.Row.Key != "checkpoint-every")) arguments.AddRange(["--checkpoint-every", Math.Max(2, steps / CheckpointsPerRun).ToString(CultureInfo.InvariantCulture)]);

        // A lie is found in a leaf that is audited: with the usual pace a short run would end before.
        if (given.All(static s => s.Row.Key != "audit-every") && HasLie(plan)) arguments.AddRange(["--audit-every", "1"]);
        var folder = run.OutDirectory;
        var report = await ChaosRun.RunAsync(new ChaosOptions
        {
            Program = Environment.ProcessPath ?? throw new ClusterException("this process does not know its own program"),
            Arguments = arguments,
            Run = shape,
            Plan = plan,
            Out = folder,
            Expect = request.Expect,
            Strict = request.Strict,
            Replay = Replay(folder, [.. arguments, "--steps", $"{steps}", "--workers", $"{shape.Workers}", "--ps", $"{shape.Shards}", "--replicas", $"{shape.Replicas}"]),
            Say = static (line, isError) => (isError ? Console.Error : Console.Out).WriteLine(line),
        }, stop);
        Console.Out.Write(ChaosText.Write(report));
        return report.Passed ? ExitCodes.Done : ExitCodes.Failed;
    }

    public static bool HasLie(FaultPlan plan) => plan.Faults.Any(static f => f.Kind == FaultKind.Lie);

    /// <exception cref="UserMistakeException">The run's length is not known, or its standbys have no place.</exception>
    public static RunShape ShapeOf(RunOptions options)
    {
        if (options.Steps is not { } steps) throw new UserMistakeException("cluster chaos plans its faults by step: say with --steps N how many the run has");
        var shape = new RunShape(steps, options.Workers, options.Ps) { Audits = options.AuditEvery > 0 };
        if (options.Replicas is { } replicas) shape = shape with { Replicas = (int)replicas };
        return shape is { Replicas: > 0, Shards: 1 } ? throw new UserMistakeException("--replicas 1 needs --ps 2 or more: the standby of a shard lies in another process than the shard") : shape;
    }

    /// <param name="isPossible">Kinds that somebody carries out.</param>
    public static FaultPlan PlanOf(ChaosRequest request, RunShape shape, Func<FaultKind, bool> isPossible) =>
        request.Plan is { } path ? PlanFile.Read(path, shape)
        : request.Random is { } count ? RandomPlan.Make(count, request.FaultSeed, shape, isPossible)
        : request.Faults.Count > 0 ? FaultPlan.Parse(shape, request.Faults)
        : DefaultPlan.Make(shape, isPossible);

    private static string Replay(string folder, IEnumerable<string> arguments)
    {
        var shown = Path.GetRelativePath(Environment.CurrentDirectory, folder);
        return string.Join(' ', (string[])["./cluster", "chaos", "--plan", Quoted(Path.Combine(shown, ChaosRun.PlanName)), .. arguments.Select(Quoted), "--out", Quoted(shown + "-again")]);
    }

    /// <summary>As a shell reads it back.</summary>
    private static string Quoted(string text) => text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or ',' or '=' or '@' or '+') && text.Length > 0 ? text : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
