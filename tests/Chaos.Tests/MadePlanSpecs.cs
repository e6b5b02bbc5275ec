using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

/// <summary>The default plan and random plans: complete, repeatable, and never more than a run can survive.</summary>
public sealed class MadePlanSpecs
{
    private const int Seeds = 10_000;

    /// <summary>Rows of the failure table: kind and role, one of each at least.</summary>
    private static readonly (FaultKind Kind, string Role)[] Table =
    [
        (FaultKind.Kill, "worker"), (FaultKind.Stop, "worker"), (FaultKind.Hang, "worker"), (FaultKind.Slow, "worker"), (FaultKind.Join, "worker"), (FaultKind.NotANumber, "worker"), (FaultKind.Corrupt, "worker"),
        (FaultKind.Lie, "worker"), (FaultKind.Kill, "ps"), (FaultKind.Kill, "coordinator"), (FaultKind.BlackHoleOut, "worker"), (FaultKind.DiskFull, "coordinator"),
    ];

    [Theory]
    [InlineData(30, 3, 2)]
    [InlineData(40, 4, 1)]
    [InlineData(100, 5, 3)]
    public void Default_plan_has_every_row_of_the_failure_table_with_room_between(long steps, int workers, int shards)
    {
        var plan = DefaultPlan.Make(new RunShape(steps, workers, shards), static _ => true);
        Assert.All(Table, row => Assert.Contains(plan.Faults, f => f.Kind == row.Kind && f.Node.StartsWith(row.Role, StringComparison.Ordinal)));
        Assert.Equal([RunFaultKind.KillSupervisor, RunFaultKind.TearCheckpoint], plan.RunFaults.Select(static f => f.Kind).Order());
        var struck = plan.Faults.Select(static f => f.Step.Value).Concat(plan.Deaths.Select(static d => d.Value)).Order().ToList();
        Assert.All(struck.Zip(struck.Skip(1)), static pair => Assert.True(pair.Second - pair.First >= 2, $"steps {pair.First} and {pair.Second}"));
        Assert.True(struck[0] > 1 && struck[^1] < steps);
        var lie = plan.Faults.Single(static f => f.Kind == FaultKind.Lie);
        Assert.DoesNotContain(plan.Faults, f => f.Node == lie.Node && f.Step > lie.Step);
        Assert.All(plan.LeftOut, static row => Assert.Contains("have no room for it", row));
    }

    [Fact]
    public void Long_run_gets_every_kind_there_is()
    {
        var plan = DefaultPlan.Make(new RunShape(80, 4, 2), static _ => true);
        Assert.Empty(plan.LeftOut);
        Assert.Equal(FaultKinds.All.Select(static k => k.Kind).Order(), plan.Faults.Select(static f => f.Kind).Distinct().Order());
    }

    [Fact]
    public void Small_run_says_what_is_left_out_and_why()
    {
        Assert.Contains(DefaultPlan.Make(new RunShape(60, 2, 1), static _ => true).LeftOut, static row => row.StartsWith("silent corruption: two honest workers", StringComparison.Ordinal));
        Assert.Contains(DefaultPlan.Make(new RunShape(60, 3, 1) { Audits = false }, static _ => true).LeftOut, static row => row == "silent corruption: no leaf is audited in this run");
        Assert.Contains(DefaultPlan.Make(new RunShape(60, 1, 1), static _ => true).LeftOut, static row => row.StartsWith("worker hangs: another worker", StringComparison.Ordinal));
        Assert.Contains(DefaultPlan.Make(new RunShape(60, 3, 1), static kind => kind != FaultKind.Zombie).LeftOut, static row => row == "zombie coordinator: launch cannot do zombie");
        for (var steps = 1; steps <= 60; steps++)
        {
            for (var workers = 1; workers <= 4; workers++)
            {
                var run = new RunShape(steps, workers, 1 + steps % 3);
                var plan = DefaultPlan.Make(run, static _ => true);
                Assert.Equal(plan.Texts, FaultPlan.Parse(run, plan.Texts).Texts);
                Assert.True(plan.Count > 0 || steps < 3);
                Assert.True(plan.Count + plan.LeftOut.Length >= 26, $"{plan.Count} faults and {plan.LeftOut.Length} left out");
            }
        }
    }

    [Fact]
    public void Random_plan_is_a_function_of_its_seed()
    {
        var run = new RunShape(60, 4, 2);
        string[] Of(ulong seed) => [.. RandomPlan.Make(20, seed, run, static _ => true).Texts];
        Assert.Equal(Of(7), Of(7));
        Assert.Equal(200, Enumerable.Range(1, 200).Select(seed => string.Join(' ', Of((ulong)seed))).Distinct().Count());
        Assert.Equal(["kill", "stop"], RandomPlan.Make(20, 3, run, static kind => kind is FaultKind.Kill or FaultKind.Stop).Faults.Select(static f => f.Facts.Word).Distinct().Order());
    }

    [Fact]
    public void Random_plans_of_all_seeds_together_have_every_kind()
    {
        var drawn = Enumerable.Range(1, 300).Select(static seed => RandomPlan.Make(20, (ulong)seed, new RunShape(60, 4, 2), static _ => true)).ToList();
        Assert.Equal(FaultKinds.All.Select(static k => k.Kind).Order(), drawn.SelectMany(static p => p.Faults).Select(static f => f.Kind).Distinct().Order());
        Assert.Equal(2, drawn.SelectMany(static p => p.RunFaults).Select(static f => f.Kind).Distinct().Count());
    }

    [Fact]
    public void No_random_plan_is_more_than_a_run_can_survive()
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var run = new RunShape(40 + seed % 40, 2 + seed % 4, 1 + seed % 3);
            var count = 4 + seed % 9;
            var plan = RandomPlan.Make(count, (ulong)seed, run, static _ => true);
            Assert.Equal(count, plan.Count);
            Assert.Equal(plan.Texts, FaultPlan.Parse(run, plan.Texts).Texts);
            Assert.All(plan.Faults, static f => Assert.InRange(f.Duration.TotalSeconds, 0, 3));
            Survivable(run, plan, seed);
        }
    }

    [Fact]
    public void More_faults_than_fit_are_refused_with_the_number_that_does()
    {
        var mistake = Assert.Throws<UserMistakeException>(() => RandomPlan.Make(2_000, 1, new RunShape(20, 2, 1), static _ => true)).Message;
        Assert.Matches("^--random 2000: 20 steps of 2 workers and 1 shards have room for [0-9]+; give fewer faults or more steps$", mistake);
        Assert.Contains("from 1 to", Assert.Throws<UserMistakeException>(() => RandomPlan.Make(0, 1, new RunShape(20, 2, 1), static _ => true)).Message);
    }

    /// <summary>Said again in other words than the maker's: step by step, who can still compute.</summary>
    private static void Survivable(RunShape run, FaultPlan plan, int seed)
    {
        var liars = plan.Faults.Where(static f => f.Kind == FaultKind.Lie).ToList();
        for (var step = 1L; step <= run.Steps; step++)
        {
            var quarantined = liars.Where(f => f.Step.Value <= step).Select(static f => f.Node).ToHashSet();
            var struck = plan.Faults.Where(f => f.Step.Value == step).ToList();
            var away = plan.Faults
                .Where(f => f.Node.StartsWith("worker", StringComparison.Ordinal) && f.Kind is not (FaultKind.Join or FaultKind.NotANumber or FaultKind.Slow or FaultKind.Delay or FaultKind.Throttle or FaultKind.Lie))
                .Where(f => step - f.Step.Value is >= 0 and <= RandomPlan.AwaySteps).Select(static f => f.Node).Concat(quarantined).ToHashSet();
            Assert.True(Enumerable.Range(0, run.Workers).Any(i => !away.Contains($"worker-{i}")), $"seed {seed}: nobody is left in step {step} of {string.Join(' ', plan.Texts)}");
            Assert.True(struck.Count(static f => !f.Node.StartsWith("worker", StringComparison.Ordinal)) <= 1, $"seed {seed}: step {step} loses more than one node that carries the state");
            Assert.True(struck.Count(static f => f.Kind == FaultKind.NotANumber) <= 1);
            foreach (var lie in struck.Where(static f => f.Kind == FaultKind.Lie)) Assert.True(run.Workers - quarantined.Count >= 2, $"seed {seed}: {lie} has nobody who contradicts it");
            Assert.DoesNotContain(struck, f => f.Kind != FaultKind.Lie && quarantined.Contains(f.Node));
        }
    }
}
