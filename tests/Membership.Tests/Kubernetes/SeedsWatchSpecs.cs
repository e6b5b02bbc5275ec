using Cluster.Link;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>When a list of pods counts; time is an argument.</summary>
public sealed class SeedsWatchSpecs
{
    private static readonly SeedRules First = Rules("10.0.0.1:7100"), Second = Rules("10.0.0.2:7100"), Worker = Rules("10.9.9.9:7100") with { IsCoordinator = false };

    private static SeedRules Rules(string self) => new(LinkAddress.Parse(self), true, SeedRules.DefaultRequired);

    private static SeedPods Found(params int[] ends) => new([.. ends.Select(static i => LinkAddress.Parse($"10.0.0.{i}:7100"))], []);

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>One look each second; the second at which the list counts, or null.</summary>
    private static int? Counts(SeedRules rules, params SeedPods?[] looks)
    {
        var watch = SeedsWatch.Nothing;
        for (var second = 0; second < looks.Length; second++)
        {
            if (looks[second] is not { } found)
            {
                watch = SeedsWatch.Failed;
                continue;
            }
            (watch, var seeds, var sentence) = watch.Look(found, Seconds(second), Seconds(second), rules);
            Assert.NotEmpty(sentence);
            if (seeds is null) continue;
            Assert.Equal(found.Seeds, seeds);
            return second;
        }
        return null;
    }

    private static SeedPods[] Times(int times, SeedPods found) => [.. Enumerable.Repeat(found, times)];

    [Fact]
    public void List_counts_when_it_has_stayed_the_same_for_the_margin() => Assert.Equal(5, Counts(First, Times(9, Found(1, 2))));

    [Fact]
    public void Change_begins_the_margin_anew() => Assert.Equal(8, Counts(First, [.. Times(3, Found(1, 2)), .. Times(9, Found(1, 2, 3))]));

    [Fact]
    public void Another_order_is_a_change() => Assert.Equal(7, Counts(Second, [.. Times(2, Found(1, 2)), .. Times(9, Found(2, 1))]));

    [Fact]
    public void Look_that_failed_begins_the_margin_anew() => Assert.Equal(10, Counts(First, [.. Times(4, Found(1, 2)), null, .. Times(9, Found(1, 2))]));

    [Fact]
    public void Pods_that_are_left_out_for_another_reason_are_no_change()
    {
        var (a, b) = (Found(1, 2) with { LeftOut = ["x-0 has no address yet"] }, Found(1, 2) with { LeftOut = ["x-0 is ending"] });
        Assert.Equal(5, Counts(First, a, b, a, b, a, b));
    }

    [Fact]
    public void List_without_seeds_never_counts() => Assert.Null(Counts(First, Times(100, Found())));

    [Fact]
    public void Whoever_would_begin_a_cluster_waits_for_as_many_as_are_required()
    {
        Assert.Null(Counts(First, Times(100, Found(1))));
        Assert.Equal(5, Counts(First with { Required = 1 }, Times(9, Found(1))));
        Assert.Null(Counts(First with { Required = 3 }, Times(100, Found(1, 2))));
        Assert.Equal(5, Counts(First with { Required = 3 }, Times(9, Found(1, 2, 3))));
    }

    [Fact]
    public void Whoever_only_joins_waits_for_nobody()
    {
        Assert.Equal(5, Counts(Second with { Required = 9 }, Times(9, Found(1, 2))));
        Assert.Equal(5, Counts(Worker, Times(9, Found(1))));
    }

    [Fact]
    public void Coordinator_that_is_none_of_the_pods_hears_what_it_calls_itself()
    {
        Assert.Contains("10.9.9.9:7100, which is none of them", Said(Worker with { IsCoordinator = true }), StringComparison.Ordinal);
        Assert.DoesNotContain("10.9.9.9", Said(Worker), StringComparison.Ordinal);

        static string Said(SeedRules rules)
        {
            var (watch, _, _) = SeedsWatch.Nothing.Look(Found(1, 2), Seconds(0), Seconds(0), rules);
            var (_, seeds, sentence) = watch.Look(Found(1, 2), Seconds(5), Seconds(5), rules);
            Assert.NotNull(seeds);
            return sentence;
        }
    }

    [Fact]
    public void Margin_is_longer_than_the_first_seeds_patience_and_a_look() =>
        Assert.True(SeedTimes.Default.Stable >= EngineTimes.Default.FirstSeed + SeedTimes.Default.Look);

    [Fact]
    public void Answer_that_may_be_old_when_it_comes_is_not_acted_upon() =>
        Assert.True(SeedTimes.Default.Stable >= EngineTimes.Default.FirstSeed + SeedTimes.Default.Fresh);

    /// <summary>The margin goes from the first answer to the last question; the list may have changed before the one and after the other.</summary>
    [Theory]
    [InlineData(0, 0, 5, 5, true)]
    [InlineData(0, 0, 4.9, 6, false)]
    [InlineData(0, 4, 5, 5, false)]
    [InlineData(0, 4, 9, 9, true)]
    [InlineData(0, 0, 6, 8, true)]
    [InlineData(0, 0, 6, 8.1, false)]
    public void Time_that_answers_take_is_no_part_of_the_margin(double asked, double heard, double askedAgain, double heardAgain, bool counts)
    {
        var (watch, _, _) = SeedsWatch.Nothing.Look(Found(1, 2), Seconds(asked), Seconds(heard), First);
        var (_, seeds, sentence) = watch.Look(Found(1, 2), Seconds(askedAgain), Seconds(heardAgain), First);
        Assert.Equal(counts, seeds is not null);
        Assert.Contains(counts ? "joins through" : "they count when", sentence, StringComparison.Ordinal);
    }

    /// <summary>
    /// What the margin is for. Pods appear in a random order at random times, each looks from its own start on, a second
    /// after each answer, which takes what it takes and tells of some moment in between: of any two that
    /// would begin a cluster within the time that the earlier one needs for it, both see the same list, so they are the same process.
    /// </summary>
    [Fact]
    public void No_two_pods_that_start_at_once_both_begin_a_cluster()
    {
        for (var seed = 0; seed < 5_000; seed++)
        {
            var random = new Random(seed);
            var count = random.Next(2, 4);
            var listed = Enumerable.Range(0, count).Select(_ => random.NextDouble() * 12).ToArray();
            var starts = listed.Select(at => at + random.NextDouble() * 2).ToArray();
            var begins = new List<(double At, int Pod)>();
            for (var pod = 0; pod < count; pod++)
            {
                var rules = new SeedRules(LinkAddress.Parse($"10.0.0.{pod + 1}:7100"), true, Required: 1);
                var watch = SeedsWatch.Nothing;
                for (var now = starts[pod]; ; now += 1)
                {
                    var (asked, takes) = (now, random.Next(3) == 0 ? random.NextDouble() * SeedTimes.Default.Answer.TotalSeconds : random.NextDouble() * 0.2);
                    var read = asked + (random.NextDouble() * takes);
                    now += takes;
                    var found = Found([.. Enumerable.Range(0, count).Where(i => listed[i] <= read).Select(static i => i + 1)]);
                    (watch, var seeds, _) = watch.Look(found, Seconds(asked), Seconds(now), rules);
                    if (seeds is null) continue;
                    if (seeds[0] == rules.Self) begins.Add((now, pod));
                    break;
                }
            }
            // The first seed waits FirstSeed for an answer of the others, then begins. Whoever comes to its turn after that is answered.
            Assert.All(begins.SelectMany(a => begins.Where(b => b.Pod != a.Pod).Select(b => Math.Abs(a.At - b.At))), apart => Assert.True(apart > EngineTimes.Default.FirstSeed.TotalSeconds, $"seed {seed}"));
        }
    }
}
