using Cluster.Link;

namespace Cluster.Membership.Kubernetes;

/// <summary>When seeds that were found count.</summary>
/// <param name="Self">Where this process gossips; if that is the first seed, it may begin a cluster alone.</param>
/// <param name="IsCoordinator">One of these pods, as a rule: not to be among them is worth a word.</param>
/// <param name="Required">So many seeds must be there before the first of them may begin a cluster. Whoever only joins waits for nobody.</param>
public sealed record SeedRules(LinkAddress Self, bool IsCoordinator, int Required)
{
    /// <summary>As Akka's bootstrap has it: one that is found alone is most often the first that was started, or sees half a list.</summary>
    public const int DefaultRequired = 2;

    public SeedTimes Times { get; init; } = SeedTimes.Default;
}

/// <summary>How often the API server is asked, and how long its answer must stay the same.</summary>
public sealed record SeedTimes
{
    public static readonly SeedTimes Default = new();

    /// <summary>Between two looks at the list: the API server has other work, and a pod comes and goes in seconds.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long the list must stay the same. Five seconds, as Akka's bootstrap takes: longer than <see cref="EngineTimes.FirstSeed"/> and a
    /// look, so that of two processes with different lists the earlier one has begun its cluster before the later one asks for it.
    /// </summary>
    public TimeSpan Stable { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// An answer that was longer on its way tells too little of now to act upon. Together with <see cref="EngineTimes.FirstSeed"/> no longer
    /// than <see cref="Stable"/>: who acts on such an answer has begun its cluster before any list that is not the same can count.
    /// </summary>
    public TimeSpan Fresh { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Before the next try after an answer that is of no use.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For one answer.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// Decides when a list of pods counts. Two processes that start at once may see lists that differ by the pods that came between their
/// two looks; a list that has not changed for a while is the same for all who looked in that while. When the API server read its list, between
/// the question and the answer, nobody knows: the while is what lies surely between two readings. Pure.
/// </summary>
/// <param name="Found">The list as it was seen last; null = nothing is known.</param>
/// <param name="Since">When it was first heard; how long before that it was the same already, nobody knows.</param>
public sealed record SeedsWatch(SeedPods? Found, TimeSpan Since)
{
    public static readonly SeedsWatch Nothing = new(null, TimeSpan.Zero);

    /// <summary>A look that failed: what was not seen did not stay the same.</summary>
    public static SeedsWatch Failed => Nothing;

    /// <param name="found">What the API server says now.</param>
    /// <param name="asked">By a clock that never goes back.</param>
    /// <param name="heard">When the answer to that was there, by the same clock.</param>
    /// <returns>The next state; the seeds if they count; else what is being waited for.</returns>
    public (SeedsWatch Next, IReadOnlyList<LinkAddress>? Seeds, string Sentence) Look(SeedPods found, TimeSpan asked, TimeSpan heard, SeedRules rules)
    {
        var next = new SeedsWatch(found, found.SameSeeds(Found) ? Since : heard);
        if (found.Seeds.Count == 0) return (next, null, $"no seed yet: {found}");
        if (found.Seeds[0] == rules.Self && found.Seeds.Count < rules.Required)
            return (next, null, $"{found.Seeds.Count} of {rules.Required} seeds that must be there before this process begins a cluster (--seeds-required): {found}");
        if (asked - next.Since < rules.Times.Stable) return (next, null, $"found {found}; they count when they have stayed the same for {rules.Times.Stable.TotalSeconds} s");
        if (heard - asked > rules.Times.Fresh) return (next, null, $"found {found}; they count when the API server says so again within {rules.Times.Fresh.TotalSeconds} s");
        var stranger = rules.IsCoordinator && !found.Seeds.Contains(rules.Self) ? $"; this process gossips at {rules.Self}, which is none of them: it begins no cluster" : "";
        return (next, found.Seeds, $"joins through {found}{stranger}");
    }
}
