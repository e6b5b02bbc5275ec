using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Cluster.Cli.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Simulation;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster chaos</c>: a run of real processes under faults, held against the undisturbed one; with <c>--sim</c> the protocol on a virtual clock.</summary>
internal sealed class ChaosVerb : IVerb
{
    private const int DefaultSeeds = 2_000;
    private const int MaxSeeds = 10_000_000;
    private const int MaxSteps = 1_000;

    private readonly Option<bool> _simulated = new("--sim") { Description = "Simulate: virtual clock, network, disk and processes." };
    private readonly Option<int?> _seeds = new("--seeds") { Description = "Seeds to run, from 1 on." };
    private readonly Option<string> _recipe = new("--recipe");
    private readonly ChaosCommandOptions _chaos = new();
    private readonly RowOptions _rows;

    public ChaosVerb()
    {
        Command = new Command("chaos", "Prove that faults change no bit: real processes, or --sim.") { _simulated, _seeds, _recipe };
        foreach (var option in _chaos.All) Command.Options.Add(option);
        _rows = new RowOptions(Command, OptionTable.Rows);
    }

    public Command Command { get; }

    public string HelpText =>
        """
        cluster chaos [--plan FILE | --random N | --fault FAULT …] [--fault-seed F] --steps N [train's options]
        cluster chaos --sim [--seeds N] [--seed S] [--steps N]
        cluster chaos --sim --plan FILE | --random N | --fault FAULT … [--seeds N] [--seed S] --steps N [--workers N] [--ps P]

        Without --sim: trains undisturbed, trains again in several processes while they are killed, stopped, cut off and lied to,
        and compares the SHA-256 of the two states. Leaves report.html, report.json and plan.yaml in the run's folder.

          --plan FILE         faults from a YAML file (docs/fault-injection.md); without it: every row of the failure table
          --random N          N faults, drawn by --fault-seed
          --fault-seed F      Seed of --random (1); --seed is the run's own.
          --fault FAULT       KIND:NODE@STEP[+SECONDS][,SETTING=N], kill:supervisor@STEP or tear:checkpoint@STEP; several times
          --expect SHA256     Compare with this hash instead of an undisturbed run.
          --strict            Fail too when a fault found nothing to strike.

        With --sim: runs the real protocol core on a virtual clock: coordinators, shards, standbys and workers that crash, pause,
        hang, wake as zombies and start again; a network that loses, doubles, delays, reorders and splits; a disk that tears the
        last line. After every event the promises are checked: one record per step, each sample once per epoch, the logged step
        never goes back, nothing of an old term or attempt has an effect, no shard shows what its standby lacks, nobody acts
        before all have promised, the record comes first, and the same bits as the undisturbed run. After the last fault the run
        must finish.

          --seeds N   Seeds 1 to N (2000); each is another configuration with other faults. With a plan (200): the same run and
                      the same faults, with other delays.
          --seed S    This seed alone, with its event log: the same log every time.
          --steps N   Steps of every run; unless given, 3 to 12.

        Exit codes: 0 same bits and every promise held, 1 not, 2 bad arguments, 130 interrupted.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        if (!parse.GetValue(_simulated))
        {
            if (parse.GetValue(_seeds) is not null) throw new UserMistakeException("--seeds belongs to the simulator: add --sim");
            return RealChaos.RunAsync(_chaos.Read(parse), RowOptions.TextOf(parse, _recipe), _rows.Given(parse), mistakes, stop);
        }
        var given = _rows.Given(parse);
        var isPlanned = _chaos.GivenOf(parse).Any();
        if (isPlanned) return Task.FromResult(SimulatedPlan.Run(_chaos.Read(parse), given, mistakes, Checked("--seeds", parse.GetValue(_seeds), MaxSeeds), stop));
        HelpVerb.Refuse(mistakes);
        var foreign = given.Select(static s => s.Row.Flag).FirstOrDefault(static flag => flag is not ("--seed" or "--steps"));
        if (foreign is not null) throw new UserMistakeException($"{foreign} belongs to real processes: leave it or --sim out");
        return Task.FromResult(Simulate(given, Checked("--seeds", parse.GetValue(_seeds), MaxSeeds), stop));
    }

    private static int Simulate(List<Setting> given, int? seeds, CancellationToken stop)
    {
        var steps = Checked("--steps", NumberOf<int>(given, "--steps"), MaxSteps) ?? 0;
        if (NumberOf<ulong>(given, "--seed") is { } seed)
        {
            if (seeds is not null) throw new UserMistakeException("--seed and --seeds exclude each other: one seed with its log, or many without");
            var result = SeedRun.Run(Scenario.Draw(seed, steps), Console.Out);
            Console.Out.WriteLine(result.Violation ?? "every promise held");
            return result.Violation is null ? ExitCodes.Done : ExitCodes.Failed;
        }
        var clock = Stopwatch.StartNew();
        var results = Campaign.Run(first: 1, seeds ?? DefaultSeeds, steps, stop: stop);
        Console.Out.Write(SimulationReport.Format(results, steps, clock.Elapsed));
        return results.All(static r => r.Violation is null) ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static T? NumberOf<T>(List<Setting> given, string flag) where T : struct, IParsable<T>
    {
        if (given.LastOrDefault(s => s.Row.Flag == flag) is not { } setting) return null;
        return T.TryParse(setting.Text, CultureInfo.InvariantCulture, out var value) ? value : throw new UserMistakeException($"{setting.Place}: give a whole number");
    }

    private static int? Checked(string option, int? value, int most)
    {
        if (value is < 1 || value > most) throw new UserMistakeException($"{option} {value}: give a number from 1 to {most}");
        return value;
    }
}
