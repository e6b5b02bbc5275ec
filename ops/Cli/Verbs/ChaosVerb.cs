using System.CommandLine;
using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Simulation;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster chaos --sim</c>: the protocol under faults on a virtual clock.</summary>
internal sealed class ChaosVerb : IVerb
{
    private const int DefaultSeeds = 2_000;
    private const int MaxSeeds = 10_000_000;
    private const int MaxSteps = 1_000;

    private readonly Option<bool> _simulated = new("--sim") { Description = "Simulate: virtual clock, network, disk and processes." };
    private readonly Option<int?> _seeds = new("--seeds") { Description = "Seeds to run, from 1 on." };
    private readonly Option<ulong?> _seed = new("--seed") { Description = "Run this seed alone and print its event log." };
    private readonly Option<int?> _steps = new("--steps") { Description = "Steps of every run instead of what its seed says." };

    public ChaosVerb() => Command = new Command("chaos", "Prove the protocol under faults.") { _simulated, _seeds, _seed, _steps };

    public Command Command { get; }

    public string HelpText =>
        """
        cluster chaos --sim [--seeds N] [--seed S] [--steps N]

        Runs the real protocol core on a virtual clock: coordinators, shards, standbys and workers that crash, pause, hang, wake as
        zombies and start again; a network that loses, doubles, delays, reorders and splits; a disk that tears the last line. After
        every event the promises are checked: one record per step, each sample once per epoch, the logged step never goes back,
        nothing of an old term or attempt has an effect, no shard shows what its standby lacks, nobody acts before all have
        promised, the record comes first, and the same bits as the undisturbed run. After the last fault the run must finish.

          --seeds N   Seeds 1 to N (2000); each is another configuration with other faults.
          --seed S    This seed alone, with its event log: the same log every time.
          --steps N   Steps of every run; unless given, 3 to 12.

        Exit codes: 0 every promise held, 1 one was broken, 2 bad arguments.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        HelpVerb.Refuse(mistakes);
        if (!parse.GetValue(_simulated)) throw new UserMistakeException("cluster chaos needs to know where: add --sim for the simulator");
        var steps = Checked("--steps", parse.GetValue(_steps), MaxSteps) ?? 0;
        var seeds = Checked("--seeds", parse.GetValue(_seeds), MaxSeeds);
        if (parse.GetValue(_seed) is { } seed)
        {
            if (seeds is not null) throw new UserMistakeException("--seed and --seeds exclude each other: one seed with its log, or many without");
            var result = SeedRun.Run(Scenario.Draw(seed, steps), Console.Out);
            Console.Out.WriteLine(result.Violation ?? "every promise held");
            return Task.FromResult(result.Violation is null ? ExitCodes.Done : ExitCodes.Failed);
        }
        var clock = Stopwatch.StartNew();
        var results = Campaign.Run(first: 1, seeds ?? DefaultSeeds, steps, stop: stop);
        Console.Out.Write(SimulationReport.Format(results, steps, clock.Elapsed));
        return Task.FromResult(results.All(static r => r.Violation is null) ? ExitCodes.Done : ExitCodes.Failed);
    }

    private static int? Checked(string option, int? value, int most)
    {
        if (value is < 1 || value > most) throw new UserMistakeException($"{option} {value}: give a number from 1 to {most}");
        return value;
    }
}
