using System.Diagnostics;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Launch;
using Cluster.Cli.Verbs;
using Cluster.Contracts;
using Cluster.Simulation;

namespace Cluster.Cli.Chaos;

/// <summary><c>cluster chaos --sim --plan FILE</c>: the faults of a plan on the virtual clock, under many seeds.</summary>
internal static class SimulatedPlan
{
    private const int DefaultSeeds = 200;

    /// <summary>The simulator's runs have one leaf size and no data; every other option of a run is nothing to it.</summary>
    private static readonly string[] Known = ["steps", "seed", "workers", "ps", "replicas", "microbatches", "audit-every"];

    /// <returns>The exit code.</returns>
    /// <exception cref="UserMistakeException">The plan or the run's shape cannot be simulated.</exception>
    public static int Run(ChaosRequest request, IReadOnlyList<Setting> given, IReadOnlyList<string> mistakes, int? seeds, CancellationToken stop)
    {
        if (given.FirstOrDefault(static s => !Known.Contains(s.Row.Key)) is { } foreign) throw new UserMistakeException($"{foreign.Place}: the simulator has no data, model or optimizer; leave it or --sim out");
        if (request.Expect is not null || request.Strict) throw new UserMistakeException("--expect and --strict belong to real processes: leave them or --sim out");
        var run = RunResolver.Resolve(null, given, mistakes, new ResolveEnvironment());
        var shape = RealChaos.ShapeOf(run.Options);
        var plan = RealChaos.PlanOf(request, shape, static _ => true);
        foreach (var row in plan.LeftOut) Console.Error.WriteLine($"[chaos]       left out: {row}");
        var auditEvery = given.All(static s => s.Row.Key != "audit-every") && RealChaos.HasLie(plan) ? 1 : run.Options.AuditEvery;
        string Replay(ulong seed) =>
            $"./cluster chaos --sim {string.Join(' ', plan.Texts.Select(static t => "--fault " + t))} --steps {shape.Steps} --workers {shape.Workers} --ps {shape.Shards} --replicas {shape.Replicas} --microbatches {run.Options.Microbatches} --audit-every {auditEvery} --seed {seed}";
        Scenario Of(ulong seed) => Scenario.Of(plan, shape, seed, run.Options.Microbatches, auditEvery);

        if (given.Any(static s => s.Row.Key == "seed"))
        {
            if (seeds is not null) throw new UserMistakeException("--seed and --seeds exclude each other: one seed with its log, or many without");
            var result = SeedRun.Run(Of(run.Options.Seed), Console.Out);
            Console.Out.WriteLine(result.Violation ?? "every promise held");
            return result.Violation is null ? ExitCodes.Done : ExitCodes.Failed;
        }
        var clock = Stopwatch.StartNew();
        var results = Campaign.Run(Of, first: 1, seeds ?? DefaultSeeds, stop);
        Console.Out.Write(SimulationReport.Format(results, Replay, clock.Elapsed));
        return results.All(static r => r.Violation is null) ? ExitCodes.Done : ExitCodes.Failed;
    }
}
