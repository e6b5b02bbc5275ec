using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Simulation.Tests;

/// <summary>Plans of faults, as real runs have them, on the virtual clock.</summary>
public sealed class PlanSpecs
{
    private static readonly RunShape Run = new(60, 4, 2);

    private static Scenario Of(FaultPlan plan, ulong seed) => Scenario.Of(plan, Run, seed, microbatches: 8, auditEvery: 1);

    [Fact]
    public void Every_kind_of_fault_strikes_and_breaks_no_promise()
    {
        var plan = DefaultPlan.Make(Run, static _ => true);
        Assert.Empty(plan.LeftOut);
        Assert.Empty(FaultKinds.All.Select(static k => k.Kind).Except(plan.Faults.Select(static f => f.Kind)));
        var results = Campaign.Run(seed => Of(plan, seed), first: 1, seeds: 40);
        Assert.True(results.All(static r => r.Violation is null), SimulationReport.Format(results, 0, default));
        foreach (var text in plan.Texts) Assert.All(results, r => Assert.Equal(1, r.Counts.GetValueOrDefault($"fault, {text}")));
        Assert.All(results, static r => Assert.Equal(1, r.Counts.GetValueOrDefault("quarantined")));
        Assert.Contains(results, static r => r.Counts.GetValueOrDefault("steps replayed") > 0);
    }

    [Fact]
    public void Random_plans_break_no_promise()
    {
        var results = Campaign.Run(seed => Of(RandomPlan.Make(20, seed, Run, static _ => true), seed), first: 1, seeds: 100);
        Assert.True(results.All(static r => r.Violation is null), SimulationReport.Format(results, 0, default));
    }

    [Fact]
    public void A_plan_and_a_seed_have_the_same_event_log_every_time()
    {
        var plan = DefaultPlan.Make(Run, static _ => true);
        using var first = new StringWriter();
        using var second = new StringWriter();
        SeedRun.Run(Of(plan, 3), first);
        SeedRun.Run(Of(plan, 3), second);
        Assert.Equal(first.ToString(), second.ToString());
        Assert.Contains("FAULT: kill:supervisor", first.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, 4, 9, "room for 8 shards"), InlineData(10, 17, 1, "room for 16 workers"), InlineData(1_001, 2, 1, "at most 1000 steps")]
    public void What_the_simulator_has_no_room_for_is_refused(long steps, int workers, int shards, string words)
    {
        var run = new RunShape(steps, workers, shards);
        var mistake = Assert.Throws<UserMistakeException>(() => Scenario.Of(FaultPlan.Parse(run, "kill:worker-0@1"), run, 1, 8, 0));
        Assert.Contains(words, mistake.Message, StringComparison.Ordinal);
    }
}
