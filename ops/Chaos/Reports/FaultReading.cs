using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>Finds in a run's events and records what became of each fault. Pure.</summary>
internal static class FaultReading
{
    private const string FaultEvent = "fault";

    /// <summary>The supervisor reaped a process: what the run itself noticed says more, if it did.</summary>
    private const string Ended = "process-ended";

    /// <summary>What the supervisor notes before its word about the strike itself, and clocks that are read on both sides of it.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(250);

    /// <summary>While a supervisor is on its way to die the run may go so many steps further.</summary>
    private const int StepsToDie = 2;

    /// <summary>Later words are about something else.</summary>
    private static readonly TimeSpan Reach = TimeSpan.FromSeconds(20);

    /// <summary>Kinds of events that say what was done, not that something happened.</summary>
    private static readonly HashSet<string> Answers = new(StringComparer.Ordinal)
    {
        "leased-again", "term", "restored", "replay", "resumed", "process", "worker-joined", "commit-goes-on", "checkpoint-passed-over",
    };

    /// <summary>Kinds that tell of the run's ordinary course.</summary>
    private static readonly HashSet<string> Ordinary = new(StringComparer.Ordinal) { FaultEvent, Ended, "process-started", "started", "checkpoint", "evaluated", "finished", "waiting" };

    /// <summary>How a node's faults appear in events.jsonl: <c>fault kill:worker-1@10: …</c>.</summary>
    public static EventRow? StrikeOf(FaultSpec fault, IEnumerable<EventRow> events) =>
        events.FirstOrDefault(e => e.Kind == FaultEvent && e.Sentence.StartsWith($"fault {fault}: ", StringComparison.Ordinal));

    public static EventRow? MissOf(FaultSpec fault, IEnumerable<EventRow> events) =>
        events.FirstOrDefault(e => e.Kind == FaultEvent && e.Sentence.StartsWith($"fault {fault} missed", StringComparison.Ordinal));

    public static IReadOnlyList<FaultReport> Of(FaultPlan plan, ChaosFindings findings, RecoveryBound bound)
    {
        var events = findings.Storm.Events;
        var commits = findings.Appeared.OrderBy(static c => c.Key).Select(static c => c.Value).ToList();
        var strikes = plan.Faults.Select(fault => StrikeOf(fault, events)?.Time).OfType<DateTimeOffset>().Concat(findings.Deaths.Select(static d => d.Time)).Order().ToList();
        var reports = new List<FaultReport>();
        foreach (var fault in plan.Faults)
        {
            var (milliseconds, arithmetic) = bound.Of(fault.Kind, fault.Node);
            var strike = StrikeOf(fault, events);
            var miss = MissOf(fault, events);
            var mayBeLost = findings.Deaths.Any(death => fault.Step.Value >= death.Step && fault.Step.Value <= death.Step + StepsToDie);
            var (outcome, said) = strike is not null ? (FaultOutcome.Struck, strike.Sentence)
                : miss is not null ? (FaultOutcome.Missed, miss.Sentence)
                : mayBeLost ? (FaultOutcome.Untold, "the supervisor died before it could say so") : (FaultOutcome.Missed, "it never arose: nothing was said about it");
            var report = new FaultReport(fault.ToString(), fault.Facts.Word, fault.Node, fault.Step.Value, outcome, said, strike?.Time, null, [], null, null, milliseconds, arithmetic);
            reports.Add(strike is null ? report : Follow(report, strike.Time, events, commits, strikes, findings.Deaths));
        }
        foreach (var fault in plan.RunFaults)
        {
            var death = findings.Deaths.FirstOrDefault(d => d.Step == fault.Step.Value);
            var isTear = fault.Kind == RunFaultKind.TearCheckpoint;
            var struck = death is not null && (!isTear || death.TornStep is not null);
            var said = death is null ? "the run had ended before it could strike" : isTear ? death.Torn! : $"the supervisor was killed after step {fault.Step}; its processes were gone {death.GoneAfter.TotalSeconds:0.0} s later";
            var report = new FaultReport(fault.ToString(), $"{fault.Word} {fault.Node}", fault.Node, fault.Step.Value, struck ? FaultOutcome.Struck : FaultOutcome.Missed, said, struck ? death!.Time : null, null, [], null, null, null, "the run is started anew by hand");
            reports.Add(struck ? Follow(report, death!.Time, events, commits, strikes, findings.Deaths) : report);
        }
        return [.. reports.OrderBy(static r => r.Step).ThenBy(static r => r.StruckAt)];
    }

    public static IReadOnlyList<KindReport> Kinds(IEnumerable<FaultReport> faults) =>
    [
        .. faults.Where(static f => f.RecoveryMilliseconds is not null).GroupBy(KindOf, StringComparer.Ordinal).OrderBy(static g => g.Key, StringComparer.Ordinal).Select(static group =>
        {
            var times = group.Select(static f => f.RecoveryMilliseconds!.Value).Order().ToArray();
            return new KindReport(group.Key, times.Length, Quantile(times, 0.5), Quantile(times, 0.95), times[^1], group.Count(static f => !f.IsWithinBound));
        }),
    ];

    /// <summary>Kind and role: a coordinator's death is another matter than a worker's.</summary>
    private static string KindOf(FaultReport fault) => fault.Kind.Contains(' ', StringComparison.Ordinal) ? fault.Kind : $"{fault.Kind} {fault.Node.Split('-')[0]}";

    /// <summary>The smallest value that this share of all does not exceed.</summary>
    internal static double Quantile(double[] sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];

    private static FaultReport Follow(FaultReport report, DateTimeOffset struck, IReadOnlyList<EventRow> events, List<DateTimeOffset> commits, List<DateTimeOffset> strikes, IReadOnlyList<SupervisorDeath> deaths)
    {
        // What is said after the supervisor's death is about that.
        var end = deaths.Select(static d => d.Time).Where(time => time > struck).Append(struck + Reach).Min();
        var nextStrike = strikes.FirstOrDefault(time => time > struck, DateTimeOffset.MaxValue);
        var after = commits.Where(time => time >= struck).ToList();
        var window = events.Where(e => e.Time >= struck - Slack && e.Time <= end && e.Kind != FaultEvent).ToList();
        var mine = window.Where(e => IsAbout(e, report.Node) || (e.Kind == "link-lost" && Mentions(e.Sentence, report.Node))).ToList();
        var noticed = report.Node == "checkpoint" ? window.FirstOrDefault(e => e.Kind == "checkpoint-passed-over" && e.Time >= struck)
            : (IsDamage(report.Kind) ? mine.FirstOrDefault(static e => e.Kind == "link-lost" && e.Sentence.Contains("damaged", StringComparison.Ordinal)) : null)
            ?? mine.FirstOrDefault(static e => !Answers.Contains(e.Kind) && !Ordinary.Contains(e.Kind) && !IsArrival(e))
            ?? mine.FirstOrDefault(static e => e.Kind == Ended)
            ?? mine.FirstOrDefault(static e => e.Kind is "worker-joined")
            ?? window.FirstOrDefault(e => e.Time < nextStrike && e.Time >= struck && e.Kind is "leased-again" or "commit-waits" or "took-over" or "resumed");
        // Of the node itself whenever it comes; of the run until the next fault, which has answers of its own.
        var done = Once(window.Where(e => !ReferenceEquals(e, noticed) && e.Kind switch
        {
            "process" or "worker-joined" => IsAbout(e, report.Node),
            "leased-again" or "term" or "restored" or "replay" or "resumed" or "checkpoint-passed-over" or "commit-goes-on" => e.Time >= struck && e.Time < nextStrike,
            _ => false,
        })).Take(Limits.ReportAnswers);
        Notice At(EventRow e) => new((e.Time - struck).TotalMilliseconds, e.Kind, e.Node, e.Sentence);
        return report with
        {
            Noticed = noticed is null ? null : At(noticed),
            Done = [.. done.Select(At)],
            RecoveryMilliseconds = after.Count == 0 ? null : (after[0] - struck).TotalMilliseconds,
            LongestWaitMilliseconds = after.Count == 0 ? null : LongestWait(struck, [.. after.TakeWhile((time, i) => i == 0 || time <= nextStrike)]),
        };
    }

    /// <summary>A node that comes back is not the trouble.</summary>
    private static bool IsArrival(EventRow e) => e.Kind == "membership" && e.Sentence.Contains(" joins", StringComparison.Ordinal);

    /// <summary>Leaves are leased again one worker at a time: the first word stands for all.</summary>
    private static IEnumerable<EventRow> Once(IEnumerable<EventRow> events)
    {
        var leases = 0;
        foreach (var e in events)
            if (e.Kind != "leased-again" || leases++ == 0) yield return e;
    }

    /// <summary>What spoils bytes is noticed by whoever gets them.</summary>
    private static bool IsDamage(string kind) => FaultKinds.Of(kind)?.Kind is FaultKind.Corrupt or FaultKind.Duplicate or FaultKind.Reorder;

    /// <summary>Another node lost its link because this one is gone, or got spoilt bytes from it.</summary>
    private static bool Mentions(string sentence, string node)
    {
        if (sentence.Contains($"{node} is gone", StringComparison.Ordinal)) return true;
        var from = $"from {node}";
        var at = sentence.IndexOf(from, StringComparison.Ordinal);
        return at >= 0 && (at + from.Length == sentence.Length || !char.IsAsciiDigit(sentence[at + from.Length]));
    }

    /// <summary>Damage on the way between two nodes is told by the one that got it, of the one that sent it.</summary>
    private static bool IsAbout(EventRow e, string node) => (e.Kind == "link-lost" && e.Sentence.Contains(node + " ", StringComparison.Ordinal)) || e.Node == node || e.Node.StartsWith(node + " ", StringComparison.Ordinal) || e.Node.StartsWith(node + ",", StringComparison.Ordinal);

    private static double LongestWait(DateTimeOffset from, List<DateTimeOffset> commits)
    {
        var longest = TimeSpan.Zero;
        foreach (var time in commits)
        {
            if (time - from > longest) longest = time - from;
            from = time;
        }
        return longest.TotalMilliseconds;
    }
}
