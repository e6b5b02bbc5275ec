using Cluster.Chaos;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Real processes under faults: the verb, and the library as docs/fault-injection.md shows it.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class ChaosSpecs : IDisposable
{
    private static readonly string[] Small = [.. Training.Small, "--evaluate", "false"];

    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Worker_killed_another_stopped_and_the_supervisor_killed_with_a_checkpoint_torn_end_in_the_same_bits()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, ["chaos", .. Small, "--steps", $"{Training.ShortSteps}", "--workers", "3", "--ps", "2", "--expect", Training.Expected(Training.ShortSteps),
            "--fault", "kill:worker-1@3", "--fault", "stop:worker-2@5+1", "--fault", "kill:supervisor@8", "--fault", "tear:checkpoint@8", "--strict", "--out", "storm"]);
        Assert.True(outcome.ExitCode == 0, outcome.Output + outcome.Error);
        Assert.Equal("verdict: same bits after 4 faults", outcome.OutputLines[^1]);
        Assert.Equal($"state sha256 {Training.Expected(Training.ShortSteps)}", outcome.OutputLines[^2]);
        Assert.Contains("[chaos]       the run is resumed at step ", outcome.Error);

        var folder = _world.PathOf("storm");
        var report = ReportJson.Read(File.ReadAllText(Path.Combine(folder, ChaosRun.JsonName)));
        Assert.Equal(Verdict.SameBits, report.Verdict);
        Assert.Equal(2, report.Starts);
        Assert.Equal(Training.ShortSteps, report.Steps.Count);
        Assert.All(report.Invariants.Where(static i => i.Decides), static i => Assert.True(i.Held, i.Sentence));
        Assert.All(report.Faults, static f => Assert.Equal(FaultOutcome.Struck, f.Outcome));
        Assert.All(report.Faults, static f => Assert.InRange(f.RecoveryMilliseconds ?? -1, 0, 120_000));
        Assert.Contains("worker-1 is lost", report.Faults[0].Noticed!.Sentence);
        Assert.Contains("model.safetensors", report.Faults.Single(static f => f.Node == "checkpoint").Noticed!.Sentence);
        Assert.Equal("kill:supervisor@8", PlanFile.Read(Path.Combine(folder, ChaosRun.PlanName), report.Run).RunFaults[0].ToString());
        Assert.Contains(report.Expected, File.ReadAllText(Path.Combine(folder, ChaosRun.HtmlName)));

        // What it proves is not that it says so: against another hash the same folder fails.
        var wrong = Processes.Run(Processes.Cluster, _world.Folder, ["chaos", .. Small, "--steps", "4", "--workers", "1", "--expect", new string('0', 64), "--fault", "kill:coordinator@2", "--out", "wrong"]);
        Assert.Equal(1, wrong.ExitCode);
        Assert.StartsWith("verdict: FAILED: other bits after 1 fault", wrong.OutputLines[^1]);
    }

    [Fact]
    public async Task Test_of_a_recipe_is_ten_lines()
    {
        var (program, folder) = (Processes.Cluster, _world.PathOf("mine"));
        string[] arguments = Small;
        // docs/fault-injection.md begins
        var run = new RunShape(Steps: 8, Workers: 2, Shards: 2);
        var report = await ChaosRun.RunAsync(new ChaosOptions
        {
            Program = program,                                          // "./cluster"
            Arguments = arguments,                                      // ["--recipe", "my-recipe.yaml"]
            Run = run,
            Plan = FaultPlan.Parse(run, "kill:worker-1@3", "kill:ps-0@5"),
            Out = folder,
        });
        Assert.True(report.Verdict == Verdict.SameBits, report.Sentence);
        // docs/fault-injection.md ends
        Assert.Equal(8, report.Undisturbed.Count);
        Assert.True(report.Passed, report.Sentence);
    }

    [Fact]
    public void Lines_of_that_test_are_those_of_the_documentation()
    {
        var source = File.ReadAllLines(Repository.PathOf("tests/Cli.Tests/EndToEnd/ChaosSpecs.cs")).Select(static line => line.Length > 8 ? line[8..] : line.Trim()).ToList();
        var lines = source[(source.IndexOf("// docs/fault-injection.md begins") + 1)..source.IndexOf("// docs/fault-injection.md ends")];
        Assert.Equal(10, lines.Count);
        Assert.Contains("```csharp\n" + string.Join('\n', lines) + "\n```\n", File.ReadAllText(Repository.PathOf("docs/fault-injection.md")));
    }

    [Theory]
    [InlineData("--steps N", "chaos")]
    [InlineData("--plan, --random and --fault exclude each other", "chaos", "--steps", "9", "--random", "2", "--fault", "kill:worker-0@3")]
    [InlineData("cannot read the plan nowhere.yaml", "chaos", "--steps", "9", "--plan", "nowhere.yaml")]
    [InlineData("this run has no node 'worker-7'", "chaos", "--steps", "9", "--fault", "kill:worker-7@3")]
    [InlineData("--random 500: 9 steps of 2 workers and 1 shards have room for", "chaos", "--steps", "9", "--workers", "2", "--random", "500")]
    [InlineData("--expect abc: give the 64 hexadecimal digits", "chaos", "--steps", "9", "--expect", "abc")]
    [InlineData("--seeds belongs to the simulator", "chaos", "--steps", "9", "--seeds", "9")]
    [InlineData("--expect and --strict belong to real processes", "chaos", "--sim", "--strict")]
    [InlineData("--lr belongs to real processes", "chaos", "--sim", "--lr", "0.1")]
    [InlineData("--seed and --seeds exclude each other", "chaos", "--sim", "--seed", "3", "--seeds", "4")]
    public void Mistake_is_one_line_and_exit_code_2(string expected, params string[] arguments)
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }

    [Fact]
    public void Simulator_is_still_there()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "chaos", "--sim", "--seed", "3", "--steps", "4");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal("every promise held", outcome.OutputLines[^1]);
    }
}
