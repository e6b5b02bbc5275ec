using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

public sealed class WorkerProtocolSpecs
{
    private static readonly WorkerId Id = new(2);
    private static readonly WorkerState Fresh = new() { Worker = Id, Shards = 2 };

    private static Routes Routes(long term) => new(new Term(term), [new ShardPlace(new ShardId(0), new NodeId(0, 1), null), new ShardPlace(new ShardId(1), new NodeId(1, 1), null)]);

    private static BeginStep Begin(long term, long step, int attempt, params LeafRange[] leases) => new(new Term(term), new StepId(step), attempt, 8, leases, default);

    private static WeightsPart Part(long term, long version, int shard) => new(new Term(term), new WeightsVersion(version), new ShardId(shard), 0, null!, default);

    private static (WorkerState State, ImmutableArray<WorkerEffect> Effects) After(WorkerState state, params IWorkerInput[] inputs)
    {
        ImmutableArray<WorkerEffect> effects = [];
        foreach (var input in inputs) (state, effects) = WorkerProtocol.Advance(state, input);
        return (state, effects);
    }

    private static string Refusal(ImmutableArray<WorkerEffect> effects) => Assert.IsType<WorkerEffect.Refuse>(Assert.Single(effects)).Reason;

    /// <summary>In term 1 with the weights of version 4.</summary>
    private static WorkerState Ready => After(Fresh, Routes(1), Part(1, 4, 0), Part(1, 4, 1)).State;

    [Fact]
    public void Leaves_are_computed_once_order_routes_and_all_parts_are_here_in_whatever_sequence()
    {
        IWorkerInput[] inputs = [Routes(1), Begin(1, 5, 1, new LeafRange(0, 2)), Part(1, 4, 0), Part(1, 4, 1)];
        foreach (var order in Permutations(inputs))
        {
            var state = Fresh;
            var computed = new List<WorkerEffect.Compute>();
            foreach (var input in order)
            {
                (state, var effects) = WorkerProtocol.Advance(state, input);
                computed.AddRange(effects.OfType<WorkerEffect.Compute>());
                if (input != order[^1]) Assert.Empty(computed);
            }
            Assert.Equal([new LeafRange(0, 2)], Assert.Single(computed).Leases);
            Assert.Equal(new WeightsVersion(4), state.Held);
        }
    }

    private static IEnumerable<T[]> Permutations<T>(T[] items) =>
        items.Length <= 1 ? [items] : items.SelectMany((item, i) => Permutations([.. items[..i], .. items[(i + 1)..]]).Select(rest => (T[])[item, .. rest]));

    [Fact]
    public void Weights_are_asked_for_when_they_cannot_be_on_their_way_or_the_order_comes_twice()
    {
        // The first order of a term: what a shard that was ahead sent in the term before does not count.
        Assert.Equal(2, After(Ready, Begin(1, 6, 1, new LeafRange(0, 1))).Effects.OfType<WorkerEffect.Ask>().Count());
        // Then version 5 follows version 4 by itself: nothing is asked for at first.
        var (begun, _) = After(Ready, Begin(1, 5, 1, new LeafRange(0, 1)));
        var (state, effects) = After(begun, Begin(1, 6, 1, new LeafRange(0, 1)));
        Assert.Empty(effects);
        (_, effects) = After(state, Part(1, 5, 1), Begin(1, 6, 1, new LeafRange(0, 1)));
        Assert.Equal(new RequestWeights(new Term(1), new WeightsVersion(5), new ShardId(0), Id), Assert.Single(effects.OfType<WorkerEffect.Ask>()).Message);
        // Version 8 does not, nor does an older one in a replay.
        Assert.Equal(2, After(Ready, Begin(1, 9, 1, new LeafRange(0, 1))).Effects.OfType<WorkerEffect.Ask>().Count());
        Assert.Equal(2, After(Ready, Begin(1, 3, 1, new LeafRange(0, 1))).Effects.OfType<WorkerEffect.Ask>().Count());
    }

    [Fact]
    public void A_replay_loads_an_older_version_and_a_leftover_does_not()
    {
        Assert.Equal("old weights", Refusal(After(Ready, Part(1, 3, 0)).Effects));
        var (state, effects) = After(Ready, Routes(2), Begin(2, 3, 1, new LeafRange(0, 1)), Part(2, 2, 0), Part(2, 2, 1));
        Assert.Equal(new WeightsVersion(2), state.Held);
        Assert.Equal([typeof(WorkerEffect.Keep), typeof(WorkerEffect.Load), typeof(WorkerEffect.Compute)], effects.Select(e => e.GetType()));
    }

    [Fact]
    public void Parts_of_two_versions_never_make_a_whole()
    {
        var (state, effects) = After(Ready, Part(1, 5, 0), Part(1, 6, 1));
        Assert.Equal(new WeightsVersion(4), state.Held);
        Assert.DoesNotContain(effects, e => e is WorkerEffect.Load);
        Assert.Equal("second copy of weights", Refusal(After(state, Part(1, 5, 0)).Effects));
    }

    [Fact]
    public void An_order_that_comes_twice_computes_nothing_twice_and_reports_again()
    {
        var (state, _) = After(Ready, Begin(1, 5, 1, new LeafRange(0, 2)));
        var (_, effects) = After(state, Begin(1, 5, 1, new LeafRange(0, 2), new LeafRange(6, 1)));
        Assert.Equal([0, 1], Assert.IsType<WorkerEffect.ReportAgain>(effects[0]).Leaves);
        Assert.Equal([new LeafRange(6, 1)], Assert.IsType<WorkerEffect.Compute>(effects[1]).Leases);
    }

    [Fact]
    public void Neighbouring_leases_stay_apart_so_that_each_has_its_own_nodes()
    {
        var (_, effects) = After(Ready, Begin(1, 5, 1, new LeafRange(0, 2), new LeafRange(2, 2)));
        Assert.Equal([new LeafRange(0, 2), new LeafRange(2, 2)], Assert.IsType<WorkerEffect.Compute>(Assert.Single(effects)).Leases);
    }

    [Fact]
    public void The_newest_order_counts_and_older_ones_are_refused()
    {
        var (state, _) = After(Ready, Begin(1, 5, 2, new LeafRange(0, 2)));
        Assert.Equal("stale attempt", Refusal(After(state, Begin(1, 5, 1, new LeafRange(0, 2))).Effects));
        Assert.Equal("stale attempt", Refusal(After(state, Begin(1, 4, 9, new LeafRange(0, 2))).Effects));
        Assert.Equal("stale attempt", Refusal(After(state, new PushAgain(new Term(1), new StepId(5), 1, [new ShardId(0)])).Effects));
        Assert.IsType<WorkerEffect.Push>(Assert.Single(After(state, new PushAgain(new Term(1), new StepId(5), 2, [new ShardId(0)])).Effects));
        (state, _) = After(state, Routes(3));
        foreach (var old in new IWorkerInput[] { Begin(1, 6, 1, new LeafRange(0, 1)), Routes(2), Part(1, 5, 0), new EvaluateBatches(new Term(2), new WeightsVersion(4), [0], default) })
            Assert.Equal("stale term", Refusal(After(state, old).Effects));
        // A new term voids what the old one had ordered: the same step is computed anew.
        Assert.Contains(After(state, Begin(3, 5, 1, new LeafRange(0, 2))).Effects, e => e is WorkerEffect.Compute);
    }

    [Fact]
    public void An_abandoned_attempt_waits_for_nothing_any_more()
    {
        var (state, _) = After(Ready, Begin(1, 6, 1, new LeafRange(0, 2)), new StepAbandoned(new Term(1), new StepId(6), 1, "why", default));
        Assert.Null(state.Begin);
        var (_, effects) = After(state, Part(1, 5, 0), Part(1, 5, 1));
        Assert.DoesNotContain(effects, e => e is WorkerEffect.Compute);
        Assert.Equal("stale attempt", Refusal(After(Ready, new StepAbandoned(new Term(1), new StepId(6), 1, "why", default)).Effects));
    }

    [Fact]
    public void An_evaluation_waits_for_its_version_and_goes_before_the_step()
    {
        var (_, effects) = After(Ready, new EvaluateBatches(new Term(1), new WeightsVersion(4), [3], default));
        Assert.IsType<WorkerEffect.Evaluate>(Assert.Single(effects));
        (_, effects) = After(Ready, new EvaluateBatches(new Term(1), new WeightsVersion(5), [3], default), Begin(1, 6, 1, new LeafRange(0, 1)), Part(1, 5, 0), Part(1, 5, 1));
        Assert.Equal([typeof(WorkerEffect.Keep), typeof(WorkerEffect.Load), typeof(WorkerEffect.Evaluate), typeof(WorkerEffect.Compute)], effects.Select(e => e.GetType()));
    }
}
