using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>Asking until the list counts, by a clock that goes when it is told to.</summary>
public sealed class KubernetesSeedsSpecs
{
    private static readonly PodSelector Selector = PodSelector.Parse("k8s:app=c:7100");

    private readonly ManualTime _time = new();
    private readonly List<string> _said = [];
    private readonly Lister _lister = new();

    private KubernetesSeeds Seeds => new(Selector, new SeedRules(LinkAddress.Parse("c-0.c.cluster.svc:7100"), true, 2), _lister, _time, _said.Add);

    /// <summary>Goes on by the time that is waited for until the task ends; everything runs on one thread, without a context that would bring it elsewhere.</summary>
    private Task<IReadOnlyList<LinkAddress>> Run(TimeSpan patience) => Task.Run(() =>
    {
        var task = Seeds.FindAsync(patience, TestContext.Current.CancellationToken);
        for (var second = 0; second < 1_000 && !task.IsCompleted; second++) _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(task.IsCompleted);
        return task;
    });

    [Fact]
    public async Task Goes_on_asking_over_failures_and_says_each_new_thing_once()
    {
        var refused = new PodsUnknownException("may not list pods (403)");
        _lister.Answers = [refused, refused, refused, Set(), Set(0), Set(0), Set(0, 1), Set(0, 1)];
        var found = await Run(Timeout.InfiniteTimeSpan);
        Assert.Equal(["c-0.c.cluster.svc:7100", "c-1.c.cluster.svc:7100"], found.Select(static seed => seed.ToString()));
        Assert.Equal(5, _said.Count);
        Assert.Equal("seeds: may not list pods (403); it asks again", _said[0]);
        Assert.StartsWith("seeds: no seed yet", _said[1], StringComparison.Ordinal);
        Assert.StartsWith("seeds: 1 of 2 seeds", _said[2], StringComparison.Ordinal);
        Assert.StartsWith("seeds: found c-0.c.cluster.svc:7100, c-1.c.cluster.svc:7100; they count", _said[3], StringComparison.Ordinal);
        Assert.StartsWith("seeds: joins through c-0", _said[4], StringComparison.Ordinal);
    }

    /// <summary>By the second at which the seeds count, a second after each answer.</summary>
    [Theory]
    [InlineData(new[] { 0, 8, 0 }, 10)]
    [InlineData(new[] { 8, 0 }, 13)]
    [InlineData(new[] { 0, 0, 0, 0, 0, 3, 0 }, 9)]
    public async Task Time_that_answers_take_is_no_time_in_which_the_list_stayed_the_same(int[] takes, int counts)
    {
        _lister.Answers = [Set(0, 1)];
        _lister.Answering = asked => _time.Advance(TimeSpan.FromSeconds(takes[Math.Min(asked, takes.Length - 1)]));
        await Run(Timeout.InfiniteTimeSpan);
        Assert.Equal(counts, _time.GetElapsedTime(0).TotalSeconds);
    }

    [Fact]
    public async Task Gives_up_after_its_patience_with_what_was_wrong_last()
    {
        _lister.Answers = [new PodsUnknownException("may not list pods (403)")];
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => Run(TimeSpan.FromSeconds(30)));
        Assert.Contains("within 30 s (--patience): may not list pods (403)", mistake.Message, StringComparison.Ordinal);
        Assert.InRange(_lister.Asked, 10, 16);
    }

    [Fact]
    public async Task What_asking_again_does_not_mend_ends_at_once()
    {
        _lister.Answers = [new PodsUnknownException("does not take the selector (400)") { IsFinal = true }];
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => Run(Timeout.InfiniteTimeSpan));
        Assert.Equal("--seeds k8s:app=c:7100: does not take the selector (400)", mistake.Message);
        Assert.Equal(1, _lister.Asked);
    }

    [Fact]
    public async Task Stops_when_it_is_asked_to()
    {
        using var stop = new CancellationTokenSource();
        _lister.Answers = [Set(0)];
        var task = Seeds.FindAsync(Timeout.InfiniteTimeSpan, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
    }

    private static IReadOnlyList<SeedPod> Set(params int[] ordinals) => PodList.Read(PodJson.Bytes(PodJson.List([.. ordinals.Select(static i => PodJson.OfSet("c", i, $"10.0.0.{i + 1}"))])));

    /// <summary>Gives its answers in turn, the last one for ever.</summary>
    private sealed class Lister : IPodLister
    {
        public IReadOnlyList<object> Answers { get; set; } = [];

        /// <summary>Called with the number of the question, from 0, between question and answer.</summary>
        public Action<int> Answering { get; set; } = static _ => { };

        public int Asked { get; private set; }

        public Task<IReadOnlyList<SeedPod>> ListAsync(PodSelector selector, CancellationToken stop)
        {
            Answering(Asked);
            return Answers[Math.Min(Asked++, Answers.Count - 1)] switch
            {
                PodsUnknownException e => Task.FromException<IReadOnlyList<SeedPod>>(e),
                var pods => Task.FromResult((IReadOnlyList<SeedPod>)pods),
            };
        }
    }
}
