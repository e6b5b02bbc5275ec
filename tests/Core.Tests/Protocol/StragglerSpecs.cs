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
        // The floor of 100 ms is for the noise of real machines; here a leaf takes 20 ms and there is none.
        var four = new TimedRun(4, Leaves, 60, StragglerRules.Default with { LateFloor = 0 }, (w, now) => 20 * Jitter(w, now) * (w == Culprit ? times : 1)).Run();
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

    /// <summary>Four devices report four leaves at once and then nothing for a leaf's time: neither is a speed.</summary>
    [Fact]
    public void Worker_of_several_devices_gets_its_share_and_is_called_neither_fast_nor_late()
    {
        var run = new TimedRun(3, Leaves, 60, StragglerRules.Default, static (w, now) => 100 * Jitter(w, now), static w => w.Index == 0 ? 4 : 1).Run();
        for (var step = 5; step <= 60; step++)
            Assert.Equal([16, 4, 4], Enumerable.Range(0, 3).Select(w => run.Granted[(new StepId(step), new WorkerId(w))]));
        Assert.DoesNotContain(run.Effects.Where(static e => e.At > 2_000), static e => e.Effect is StepEffect.Say { Kind: "leased-again" or "worker-hung" or "worker-late" });
        Assert.InRange(run.StepMilliseconds(5), 400, 440);
    }

    [Fact]
    public void Workers_of_many_devices_whose_leaves_take_seconds_are_not_called_hung()
    {
        var run = new TimedRun(2, Leaves, 20, StragglerRules.Default, static (w, now) => 3_000 * Jitter(w, now), static _ => 12).Run();
        Assert.DoesNotContain(run.Effects, static e => e.Effect is StepEffect.Say { Kind: "worker-hung" or "worker-late" or "leased-again" });
        Assert.InRange(run.StepMilliseconds(1), 3_000, 3_300);
    }

    [Fact]
    public void Device_that_hangs_while_the_others_go_on_leaves_its_leaf_to_another_worker()
    {
        // One leaf of worker 0 never ends; its other device goes on.
        var stuck = 0;
        var run = new TimedRun(2, Leaves, 10, StragglerRules.Default, (w, now) => w.Index == 0 && now > 500 && stuck++ == 0 ? 60_000 : 50, static _ => 2).Run();
        Assert.Contains(run.Effects, static e => e.Effect is StepEffect.Say { Kind: "leased-again", Node: "worker-1" });
        Assert.True(run.FinishedAt[^1] < 20_000, $"the run took {run.FinishedAt[^1] / 1_000:0.0} s");
    }

    [Theory]
    [InlineData(10), InlineData(5)]
    public void Worker_that_becomes_slow_is_named_within_2_seconds_once_and_again_after_it_was_in_time(double times)
    {
        var run = new TimedRun(3, 8, 150, StragglerRules.Default, (w, now) => 30 * Jitter(w, now) * (w == new WorkerId(1) && now is > 2_000 and < 6_000 or > 9_000 ? times : 1)).Run();
        var named = run.Effects.Where(static e => e.Effect is StepEffect.Say { Kind: "worker-late" }).ToArray();
        Assert.All(named, static e => Assert.Equal("worker-1", ((StepEffect.Say)e.Effect).Node));
        Assert.Equal(2, named.Length);
        Assert.InRange(named[0].At, 2_000, 4_000);
        Assert.InRange(named[1].At, 9_000, 11_000);
    }

    [Fact]
    public void Worker_that_hangs_is_named_at_its_budget_although_it_gets_no_more_leaves()
    {
        // Two others have all leaves from the next step on: this worker is never leased one again.
        var run = new TimedRun(3, 8, 100, StragglerRules.Default, (w, now) => w == new WorkerId(2) && now > 1_000 ? 3_600_000 : 20).Run();
        var (at, effect) = Assert.Single(run.Effects, static e => e.Effect is StepEffect.Say { Kind: "worker-hung" });
        Assert.Equal("worker-2", ((StepEffect.Say)effect).Node);
        Assert.InRange(at, 3_000, 3_200);
    }

    [Fact]
    public void Nobody_is_called_late_when_all_wait_for_one_thing_or_one_leaf_hiccups()
    {
        // Twice every leaf takes 2 s more, and each worker now and then stands still for one leaf.
        var leaves = 0;
        var run = new TimedRun(3, 3, 200, StragglerRules.Default, (w, now) => 30 * Jitter(w, now) + (now is > 1_000 and < 1_100 or > 6_000 and < 6_100 ? 2_000 : 0) + (++leaves % 37 == 0 ? 1_500 : 0)).Run();
        Assert.DoesNotContain(run.Effects, static e => e.Effect is StepEffect.Say { Kind: "worker-late" });
    }

    [Fact]
    public void Worker_that_stays_hung_is_to_be_replaced_after_the_patience_and_not_before()
    {
        var patience = StragglerRules.Default.HungPatience;
        var worker = new WorkerStanding(Culprit, 50, 1_000) { IsHung = true, HungSince = 3_000 };
        var state = StepState.Start(new StepRules(1, 1, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Default), Term.First, new StepId(0)) with
        {
            Workers = System.Collections.Immutable.ImmutableSortedDictionary<WorkerId, WorkerStanding>.Empty.Add(Culprit, worker).Add(new WorkerId(0), new WorkerStanding(new WorkerId(0), 50)),
        };
        Assert.Empty(StepProtocol.Advance(state, new LookForStuck(), 2_999 + patience).Effects);
        var (next, effects) = StepProtocol.Advance(state, new LookForStuck(), 3_000 + patience);
        var replace = Assert.IsType<StepEffect.Replace>(Assert.Single(effects));
        Assert.Equal((Culprit, "it has reported no leaf for 12.0 s although it is alive"), (replace.Worker, replace.Reason));
        // Asked once, not at every look.
        Assert.Empty(StepProtocol.Advance(next, new LookForStuck(), 3_250 + patience).Effects);
        Assert.Single(StepProtocol.Advance(next, new LookForStuck(), 3_000 + 2 * patience).Effects);
    }
}
