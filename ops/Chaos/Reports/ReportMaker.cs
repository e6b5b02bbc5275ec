using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>Judges what a storm left behind. Pure.</summary>
public static class ReportMaker
{
    /// <param name="expected">The hash that must come out.</param>
    /// <param name="expectedFrom">Where it comes from, for a sentence.</param>
    public static ChaosReport Make(ChaosOptions options, ChaosFindings findings, string expected, string expectedFrom)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(findings);
        var calm = findings.Calm?.Commits ?? [];
        var pace = (calm.Count > 0 ? calm : findings.Storm.Commits).Skip(1).Select(static c => c.Milliseconds).Order().ToArray();
        var bound = new RecoveryBound(options.Run, findings.Storm.Commits is [{ Leaves: var leaves }, ..] ? leaves : 0, pace.Length == 0 ? 0 : FaultReading.Quantile(pace, 0.5));
        var faults = FaultReading.Of(options.Plan, findings, bound);
        var hash = findings.Failure is null ? findings.Storm.Hash : null;
        var verdict = hash is null ? Verdict.Unfinished : hash == expected ? Verdict.SameBits : Verdict.OtherBits;
        Invariant[] invariants = [.. Invariants(options, findings, faults, verdict, hash, expected, expectedFrom)];
        var passed = invariants.All(static i => i.Held || !i.Decides);
        return new ChaosReport
        {
            Verdict = verdict,
            Sentence = SentenceOf(verdict, passed, faults, findings, invariants),
            Passed = passed,
            StateSha256 = hash,
            Expected = expected,
            ExpectedFrom = expectedFrom,
            Plan = options.Plan.Name,
            LeftOut = options.Plan.LeftOut,
            Run = options.Run,
            Began = findings.Began,
            Elapsed = findings.Elapsed,
            Starts = findings.Starts,
            Command = options.CommandToReplay,
            Invariants = invariants,
            Faults = faults,
            Kinds = FaultReading.Kinds(faults),
            Steps = StepsOf(findings),
            Undisturbed = [.. calm.Select(static c => new CalmStep(c.Step, c.Milliseconds, c.Loss))],
            Events = findings.Storm.Events,
            Config = findings.Storm.Config,
            Folder = options.Out,
        };
    }

    private static string SentenceOf(Verdict verdict, bool passed, IReadOnlyList<FaultReport> faults, ChaosFindings findings, Invariant[] invariants)
    {
        var struck = faults.Count(static f => f.Outcome == FaultOutcome.Struck);
        var after = $"after {struck} {(struck == 1 ? "fault" : "faults")}{(struck == faults.Count ? "" : $" ({faults.Count - struck} of the plan did not strike)")}";
        return (verdict, passed) switch
        {
            (Verdict.SameBits, true) => $"same bits {after}",
            (Verdict.SameBits, false) => $"same bits {after}, but {invariants.First(static i => i is { Held: false, Decides: true }).Sentence}",
            (Verdict.OtherBits, _) => $"other bits {after}: the state differs from that of the undisturbed run",
            _ => $"the run did not finish {after}: {findings.Failure ?? "it left no hash"}",
        };
    }

    private static IEnumerable<Invariant> Invariants(ChaosOptions options, ChaosFindings findings, IReadOnlyList<FaultReport> faults, Verdict verdict, string? hash, string expected, string expectedFrom)
    {
        yield return new Invariant("The state is the undisturbed run's", verdict == Verdict.SameBits, true, verdict switch
        {
            Verdict.SameBits => $"SHA-256 of parameters, buffers and optimizer state is that of {expectedFrom}",
            Verdict.OtherBits => $"SHA-256 {hash![..12]}… instead of {expected[..12]}… of {expectedFrom}",
            _ => "the run left no state to compare",
        });
        yield return OneRecordPerStep(options.Run, findings.Storm.Commits);
        yield return new Invariant("The log never went back", findings.WentBack is null, true, findings.WentBack ?? $"each of the {findings.Appeared.Count} records that were seen is there at the end, byte for byte");
        yield return new Invariant("Each sample once per epoch", findings.AuditIsClean, true, findings.Audit);
        if (findings.Calm is { } calm) yield return SameCourse(calm.Commits, findings.Storm.Commits);
        if (findings.Deaths.Count > 0)
        {
            var outlived = findings.Deaths.Where(static d => d.Survivors > 0).ToList();
            yield return new Invariant("Processes end with their supervisor", outlived.Count == 0, true, outlived.Count == 0
                ? $"after {(findings.Deaths.Count == 1 ? "its death" : $"each of its {findings.Deaths.Count} deaths")} all were gone within {findings.Deaths.Max(static d => d.GoneAfter).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s ({Limits.OrphanSeconds} s are allowed)"
                : $"{outlived[0].Survivors} of them still ran {Limits.OrphanSeconds} s after its death at step {outlived[0].Step}");
        }
        if (findings.Deaths.Where(static d => d.TornStep is not null).ToList() is { Count: > 0 } torn)
        {
            var passedOver = torn.Count(d => findings.Storm.Events.Any(e => e.Kind == "checkpoint-passed-over" && e.Time >= d.Time));
            yield return new Invariant("A torn checkpoint is passed over", passedOver == torn.Count, true, passedOver == torn.Count ? "each resume said so and took an older one" : $"{torn.Count - passedOver} of {torn.Count} resumes said nothing of it");
        }
        var missed = faults.Where(static f => f.Outcome != FaultOutcome.Struck).ToList();
        yield return new Invariant("Every fault struck", missed.Count == 0, options.Strict, missed.Count == 0 ? $"{faults.Count} of {faults.Count}" : $"{missed.Count} of {faults.Count} did not: {string.Join(", ", missed.Select(static f => f.Fault))}");
        var late = faults.Where(static f => !f.IsWithinBound).ToList();
        yield return new Invariant("Recovered within the bound", late.Count == 0, false, late.Count == 0 ? $"{faults.Count(static f => f is { BoundMilliseconds: not null, RecoveryMilliseconds: not null })} recoveries have a bound and kept it" : $"{late.Count} took longer: {string.Join(", ", late.Select(static f => f.Fault))}");
    }

    private static Invariant OneRecordPerStep(RunShape run, IReadOnlyList<CommitRow> commits)
    {
        const string Name = "One record per step";
        for (var i = 0; i < commits.Count; i++)
        {
            if (commits[i].Step != i + 1) return new Invariant(Name, false, true, $"record {i + 1} is of step {commits[i].Step}");
        }
        return new Invariant(Name, commits.Count == run.Steps, true, commits.Count == run.Steps ? $"steps 1 to {run.Steps}, each once and in order" : $"{commits.Count} records, {run.Steps} steps");
    }

    private static Invariant SameCourse(IReadOnlyList<CommitRow> calm, IReadOnlyList<CommitRow> storm)
    {
        var differs = calm.Zip(storm).Where(static pair => pair.First.Result != pair.Second.Result).Select(static pair => pair.First.Step).ToList();
        return new Invariant("The way there is the same", differs.Count == 0, true, differs.Count == 0
            ? "loss, accuracy, gradient norm and rate of every step are the undisturbed run's to the last digit"
            : $"{differs.Count} steps differ in loss, accuracy, norm or rate, step {differs[0]} first");
    }

    private static List<StepReport> StepsOf(ChaosFindings findings)
    {
        var steps = new List<StepReport>();
        DateTimeOffset? before = null;
        foreach (var commit in findings.Storm.Commits)
        {
            if (!findings.Appeared.TryGetValue(commit.Step, out var time)) continue;
            steps.Add(new StepReport(commit.Step, time, before is { } last ? (time - last).TotalMilliseconds : commit.Milliseconds, commit.Samples, commit.Loss, commit.Term, commit.Attempt));
            before = time;
        }
        return steps;
    }
}
