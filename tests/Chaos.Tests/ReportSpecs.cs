using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

/// <summary>What a report makes of a recorded storm, and of what could have gone wrong in it.</summary>
public sealed class ReportSpecs
{
    [Fact]
    public void Storm_with_the_undisturbed_hash_passes_and_says_which_faults_did_not_strike()
    {
        var report = RecordedRun.Report();
        Assert.Equal((Verdict.SameBits, true), (report.Verdict, report.Passed));
        Assert.Equal("same bits after 13 faults (2 of the plan did not strike)", report.Sentence);
        Assert.Equal(["disk-full:coordinator@22+2", "lie:worker-2@20"], report.Faults.Where(static f => f.Outcome != FaultOutcome.Struck).Select(static f => f.Fault).Order());
        Assert.All(report.Invariants.Where(static i => i.Decides), static i => Assert.True(i.Held, i.Sentence));
        Assert.Equal(30, report.Steps.Count);
        Assert.Equal(2, report.Starts);
    }

    [Theory]
    [InlineData("kill:worker-1@2", "worker-1 is lost", -250, 100, true)]
    [InlineData("duplicate:worker-0@10", "ps-0 got damaged bytes from worker-0", -250, 300, false)]
    [InlineData("corrupt:worker-1@12", "worker-1 got damaged bytes from ps-1", 0, 600, false)]
    [InlineData("nan:worker-0@4", "worker-0 found a non-finite value in leaf 0 of step 4", -250, 1_000, false)]
    [InlineData("kill:coordinator@6", "lost its link to the coordinator (coordinator is gone", -250, 500, true)]
    [InlineData("stop:worker-1@8+2", "nothing was heard of it for 500 ms", 400, 700, true)]
    [InlineData("kill:ps-0@14", "ps-0 is lost", -250, 300, true)]
    [InlineData("kill:supervisor@26", "Took over at step 26", 2_000, 15_000, false)]
    [InlineData("tear:checkpoint@26", "step-000024 is passed over", 2_000, 15_000, false)]
    [InlineData("hang:worker-1@29+4", "worker-1 has reported no leaf of step 29 for 2.0 s", 1_500, 2_500, true)]
    public void Fault_is_told_with_who_noticed_it_and_when(string fault, string noticed, double least, double most, bool hasBound)
    {
        var found = RecordedRun.Report().Faults.Single(f => f.Fault == fault);
        Assert.Contains(noticed, found.Noticed!.Sentence);
        Assert.InRange(found.Noticed.Milliseconds, least, most);
        Assert.Equal(hasBound, found.BoundMilliseconds is not null);
        Assert.InRange(found.RecoveryMilliseconds!.Value, 0, 30_000);
        Assert.True(found.LongestWaitMilliseconds >= found.RecoveryMilliseconds);
    }

    [Fact]
    public void Bound_of_a_worker_is_evidence_plus_its_leaves_on_the_others()
    {
        var bound = new RecoveryBound(new RunShape(30, 3, 2), leaves: 8, stepMilliseconds: 160);
        // A leaf takes 160 ms x 3 workers / 8 leaves = 60 ms; 3 open leaves on 2 survivors are 2 rounds.
        Assert.Equal((620, "0.5 s + ⌈3 open leaves / 2⌉ x 60 ms a leaf"), bound.Of(FaultKind.Kill, "worker-1"));
        Assert.Equal(1_120, bound.Of(FaultKind.BlackHole, "worker-1").Milliseconds);
        Assert.Equal(2_120, bound.Of(FaultKind.Hang, "worker-1").Milliseconds);
        Assert.Equal(3_000, bound.Of(FaultKind.Kill, "ps-0").Milliseconds);
        Assert.Null(new RecoveryBound(new RunShape(30, 3, 1), 8, 160).Of(FaultKind.Kill, "ps-0").Milliseconds);
        Assert.Null(new RecoveryBound(new RunShape(30, 1, 1), 8, 160).Of(FaultKind.Kill, "worker-0").Milliseconds);
        Assert.Null(bound.Of(FaultKind.NotANumber, "worker-0").Milliseconds);
    }

    [Fact]
    public void Quantiles_are_the_smallest_values_that_the_share_does_not_exceed()
    {
        double[] times = [.. Enumerable.Range(1, 50).Select(static i => (double)i)];
        Assert.Equal((25, 48, 50), (FaultReading.Quantile(times, 0.5), FaultReading.Quantile(times, 0.95), FaultReading.Quantile(times, 1)));
        Assert.Equal(7, FaultReading.Quantile([7], 0.95));
        var kinds = RecordedRun.Report().Kinds;
        Assert.Equal(["black-hole-out worker", "corrupt worker", "cut worker", "duplicate worker", "hang worker", "kill coordinator", "kill ps", "kill supervisor", "kill worker", "nan worker", "slow worker", "stop worker", "tear checkpoint"], kinds.Select(static k => k.Kind));
        Assert.All(kinds, static k => Assert.True(k.Struck > 0 && k.P50 <= k.P95 && k.P95 <= k.Max));
        Assert.Equal(["kill coordinator"], kinds.Where(static k => k.OverBound > 0).Select(static k => k.Kind));
    }

    [Fact]
    public void Broken_promise_fails_the_storm_even_with_the_same_hash()
    {
        Broken("Each sample once per epoch", f => f with { AuditIsClean = false, Audit = "the audit found: leaf 3 of step 7" });
        Broken("The log never went back", f => f with { WentBack = "the log became shorter" });
        Broken("One record per step", f => f with { Storm = f.Storm with { Commits = [.. f.Storm.Commits.SkipLast(1)] } });
        Broken("The way there is the same", f => f with { Calm = f.Calm! with { Commits = [.. f.Calm.Commits.Select(static c => c.Step == 17 ? c with { Result = c.Result + "1" } : c)] } });
        Broken("Processes end with their supervisor", f => f with { Deaths = [f.Deaths[0] with { Survivors = 1 }] });
        Broken("A torn checkpoint is passed over", f => f with { Storm = f.Storm with { Events = [.. f.Storm.Events.Where(static e => e.Kind != "checkpoint-passed-over")] } });

        static void Broken(string promise, Func<ChaosFindings, ChaosFindings> change)
        {
            var report = RecordedRun.Report(change);
            Assert.Equal((Verdict.SameBits, false), (report.Verdict, report.Passed));
            Assert.Equal([promise], report.Invariants.Where(static i => i is { Decides: true, Held: false }).Select(static i => i.Name));
            Assert.StartsWith("same bits after 13 faults (2 of the plan did not strike), but ", report.Sentence);
        }
    }

    [Fact]
    public void Other_hash_and_no_hash_fail_and_strict_counts_what_missed()
    {
        Assert.Equal((Verdict.OtherBits, false), Of(RecordedRun.Report(expected: new string('0', 64))));
        Assert.Equal((Verdict.Unfinished, false), Of(RecordedRun.Report(static f => f with { Failure = "worker-0 died six times" })));
        Assert.Contains("worker-0 died six times", RecordedRun.Report(static f => f with { Failure = "worker-0 died six times" }).Sentence);
        Assert.False(ReportMaker.Make(RecordedRun.Options with { Strict = true }, RecordedRun.Findings, RecordedRun.Hash, "the undisturbed run").Passed);

        static (Verdict, bool) Of(ChaosReport report) => (report.Verdict, report.Passed);
    }

    [Fact]
    public void Json_reads_back_to_the_same_report()
    {
        var report = RecordedRun.Report();
        var text = ReportJson.Write(report);
        var again = ReportJson.Read(text);
        Assert.Equal(text, ReportJson.Write(again));
        Assert.Equal(report.Faults.Select(static f => f.Fault), again.Faults.Select(static f => f.Fault));
        Assert.Contains("\"verdict\": \"same-bits\"", text);
        Assert.Throws<ClusterException>(() => ReportJson.Read("[]"));
        Assert.Contains("version 9", Assert.Throws<ClusterException>(() => ReportJson.Read(text.Replace("\"version\": 1", "\"version\": 9"))).Message);
    }

    [Fact]
    public void Fault_that_the_supervisor_took_with_it_is_untold_and_one_long_before_missed()
    {
        var plan = FaultPlan.Parse(RecordedRun.Run, "kill:worker-0@27", "kill:worker-0@11", "kill:supervisor@26");
        var faults = ReportMaker.Make(RecordedRun.Options with { Plan = plan }, RecordedRun.Findings, RecordedRun.Hash, "x").Faults.ToImmutableDictionary(static f => f.Fault, static f => f.Outcome);
        Assert.Equal((FaultOutcome.Untold, FaultOutcome.Missed, FaultOutcome.Struck), (faults["kill:worker-0@27"], faults["kill:worker-0@11"], faults["kill:supervisor@26"]));
    }
}
