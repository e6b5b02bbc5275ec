using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation.Tests;

public sealed class SimulationSpecs
{
    [Theory]
    [InlineData(1, 1, 0, 1), InlineData(3, 2, 0, 8), InlineData(5, 3, 1, 9), InlineData(2, 2, 1, 5)]
    public void Undisturbed_run_commits_each_step_once_in_one_term_with_the_bits_of_the_reference(int workers, int shards, int replicas, int microbatches)
    {
        var result = SeedRun.Run(new Scenario(1, workers, shards, microbatches, replicas, Steps: 5, CheckpointEvery: 2, NonFinitePolicy.Recompute, AuditEvery: 2, IsDisturbed: false));
        Assert.Null(result.Violation);
        Assert.Equal(5, result.Counts["steps committed"]);
        Assert.Equal(1, result.Term);
        Assert.Equal(5 * shards * (replicas + 1), result.Counts["records applied"]);
        // Nothing had to be said twice, and no leaf was computed twice but the audited ones.
        Assert.DoesNotContain("asked again", result.Counts.Keys);
        var audited = workers > 1 ? 2 : 0;
        Assert.Equal(audited + Enumerable.Range(1, 5).Sum(step => result.Scenario.Plan(new StepId(step)).LeafCount), result.Counts["leaves computed"]);
    }

    [Fact]
    public void No_promise_is_broken_under_the_faults_of_500_seeds()
    {
        var results = Campaign.Run(first: 1, seeds: 500);
        Assert.True(results.All(r => r.Violation is null), SimulationReport.Format(results, 0, default));
        // The faults did strike, and everything that they call for happened.
        foreach (var what in new[]
        {
            "fault, crash coordinator", "fault, crash shard", "fault, crash worker", "fault, zombie coordinator", "fault, pause shard", "fault, pause worker", "fault, hang worker",
            "fault, split shard", "fault, isolate worker", "fault, non-finite leaf", "fault, wrong bits", "quarantined", "appends torn", "messages lost", "messages doubled", "messages held up",
            "takeovers", "promotions", "steps replayed", "attempts abandoned", "coordinators stepped down", "refused, stale term", "refused, node covered",
            "leaves unreadable", "samples left out", "steps with an empty leaf", "steps without a sample", "said, sample-unreadable",
        })
            Assert.True(results.Sum(r => r.Counts.GetValueOrDefault(what)) > 0, $"'{what}' never happened: the faults are too tame");
        // Under every rule, also those whose norms are made of several shards' sums, and for every number of shards.
        foreach (var what in new[] { "takeovers", "promotions", "steps replayed" })
        {
            foreach (var rule in Scenario.Rules) Assert.True(Happened(what, s => s.Rule == rule), $"no {what} under {rule}");
            // A single shard's node stands alone: nobody is there to be promoted.
            for (var shards = what == "promotions" ? 2 : 1; shards <= 3; shards++) Assert.True(Happened(what, s => s.Shards == shards), $"no {what} with {shards} shards");
        }

        bool Happened(string what, Func<Scenario, bool> where) => results.Where(r => where(r.Scenario)).Sum(r => r.Counts.GetValueOrDefault(what)) > 0;
    }

    [Fact]
    public void A_lone_worker_that_loses_what_a_record_counts_halts_the_replay_and_goes_on_with_the_data_back()
    {
        var results = Campaign.Run(static seed => Scenario.Draw(seed) with { Workers = 1, IsDamaged = true, CheckpointEvery = 0, Replicas = 0 }, first: 1, seeds: 400, TestContext.Current.CancellationToken);
        Assert.True(results.All(r => r.Violation is null), SimulationReport.Format(results, 0, default));
        Assert.InRange(results.Sum(r => r.Counts.GetValueOrDefault("halted for want of data")), 1, results.Count);
    }

    [Fact]
    public void A_seed_has_the_same_event_log_every_time()
    {
        foreach (var seed in new ulong[] { 2, 16, 144, 246, 885 })
        {
            using var first = new StringWriter();
            using var second = new StringWriter();
            var result = SeedRun.Run(Scenario.Draw(seed), first);
            SeedRun.Run(Scenario.Draw(seed), second);
            Assert.Equal(first.ToString(), second.ToString());
            Assert.True(first.ToString().Length > 10_000);
            // Writing it down changes nothing.
            Assert.Equal(result.Events, SeedRun.Run(Scenario.Draw(seed)).Events);
        }
    }

    [Fact]
    public void Steps_can_be_asked_for()
    {
        var result = SeedRun.Run(Scenario.Draw(seed: 5, steps: 20));
        Assert.Null(result.Violation);
        Assert.Equal(20, result.Scenario.Steps);
        Assert.True(result.Counts["steps committed"] >= 19);
    }

    [Fact]
    public void A_report_names_the_broken_promise_and_the_command_that_replays_it()
    {
        var results = Campaign.Run(first: 1, seeds: 3, steps: 4, static () => new ApplyBeforeRecord(), null, TestContext.Current.CancellationToken);
        var report = SimulationReport.Format(results, 4, TimeSpan.FromSeconds(1));
        Assert.Contains("broken invariants: in 3 seeds (the record comes before the update: 3)", report);
        Assert.Contains("replay: ./cluster chaos --sim --seed 2 --steps 4", report);
        Assert.Contains("3 seeds, ", report);
    }
}
