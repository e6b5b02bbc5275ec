using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

public sealed class StragglerSpecs
{
    private const int Leaves = 24;
    private static readonly WorkerId Culprit = new(3);

    private static double Jitter(WorkerId worker, double now) => 1 + 0.05 * Math.Sin(now * 0.7 + worker.Index);

    [Theory]
    [InlineData(10), InlineData(3), InlineData(30)]
    public void Slow_worker_of_four_costs_less_than_a_sixth_of_the_rate_of_the_other_three(double times)
    {
        var three = new TimedRun(3, Leaves, 60, StragglerRules.Default, (w, now) => 20 * Jitter(w, now)).Run();
        var four = new TimedRun(4, Leaves, 60, StragglerRules.Default, (w, now) => 20 * Jitter(w, now) * (w == Culprit ? times : 1)).Run();
        var rate = three.StepMilliseconds(5) / four.StepMilliseconds(5);
        Assert.True(rate >= 0.85, $"a worker that is {times} times slower leaves {rate:0.00} of the rate of the other three");
        // Without the rules it would be waited for: the deal alone cannot know in the first step.
        Assert.True(four.FinishedAt[0] < Leaves / 4 * 20 * times);
    }

    [Fact]
    public void Worker_that_becomes_slow_in_mid_run_costs_one_step_and_then_no_more()
    {
        var run = new TimedRun(4, Leaves, 60, StragglerRules.Default, (w, now) => w == Culprit && now > 2_000 ? 200 : 20).Run();
        var durations = run.FinishedAt.Zip(run.FinishedAt.Skip(1), static (a, b) => b - a).ToArray();
        Assert.True(durations.Max() < 2.5 * 120, $"a step took {durations.Max():0} ms");
        Assert.True(run.StepMilliseconds(40) <= 160 / 0.85);
    }

    [Fact]
    public void Hung_worker_is_named_and_gets_no_leaves_until_it_reports()
    {
        var run = new TimedRun(4, Leaves, 120, StragglerRules.Default, (w, now) => w == Culprit && now is > 1_000 and < 1_200 ? 8_000 : 20).Run();
        var (at, effect) = Assert.Single(run.Effects, e => e.Effect is StepEffect.Say { Kind: "worker-hung" });
        Assert.Equal(Culprit.ToString(), ((StepEffect.Say)effect).Node);
        // Its budget is 2 s from its last report.
        Assert.InRange(at, 3_000, 3_300);
        var back = run.Effects.FindIndex(e => e.At >= 9_000);
        var meanwhile = run.Effects.Where(e => e.At > at && e.At < 8_900).Select(static e => e.Effect).OfType<StepEffect.Grant>().Where(g => g.Worker == Culprit).ToArray();
        Assert.All(meanwhile, g => Assert.Empty(g.Leases));
        Assert.NotEmpty(meanwhile);     // it still hears of the steps
        Assert.Contains(run.Effects.Skip(back), e => e.Effect is StepEffect.Grant { Leases.Count: > 0 } g && g.Worker == Culprit);
        Assert.DoesNotContain(run.State.Workers.Values, static w => w.IsHung);
    }

    [Fact]
    public void Speeds_within_noise_move_no_lease_and_lease_nothing_twice()
    {
        var run = new TimedRun(4, Leaves, 60, StragglerRules.Default, (w, now) => 20 * Jitter(w, now)).Run();
        for (var step = 2; step <= 60; step++)
            for (var w = 0; w < 4; w++)
                Assert.Equal(Leaves / 4, run.Granted[(new StepId(step), new WorkerId(w))]);
        Assert.DoesNotContain(run.Effects, e => e.Effect is StepEffect.Say { Kind: "leased-again" or "worker-hung" });
    }
}
