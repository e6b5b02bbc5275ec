using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>A worker between the weights that it computes with and the averages that it evaluates: neither is taken for the other.</summary>
public sealed class AverageWeightsSpecs
{
    private static readonly Term Now = new(1);
    private static readonly WeightsVersion Four = new(4);
    private static readonly Routes Routes = new(Now, [new ShardPlace(new ShardId(0), new NodeId(0, 1), null), new ShardPlace(new ShardId(1), new NodeId(1, 1), null)]);
    private static readonly EvaluateBatches Evaluate = new(Now, Four, [3], default, OfAverage: true);
    private static readonly BeginStep Begin = new(Now, new StepId(5), 1, 8, [new LeafRange(0, 1)], default);

    private static WeightsPart Part(int shard, bool isAverage, long version = 4) => new(Now, new WeightsVersion(version), new ShardId(shard), 0, null!, default, isAverage);

    /// <summary>The state after all of them, and everything that was to be done on the way, in order.</summary>
    private static (WorkerState State, List<WorkerEffect> Effects) After(WorkerState state, params IWorkerInput[] inputs)
    {
        var all = new List<WorkerEffect>();
        foreach (var input in inputs)
        {
            (state, var effects) = WorkerProtocol.Advance(state, input);
            all.AddRange(effects);
        }
        return (state, all);
    }

    private static WorkerState Ready => After(new WorkerState { Worker = new WorkerId(2), Shards = 2 }, Routes, Part(0, false), Part(1, false)).State;

    private static WorkerState Evaluated => After(Ready, Evaluate, Part(0, true), Part(1, true)).State;

    private static IEnumerable<string> Done(IEnumerable<WorkerEffect> effects) => effects.Select(static e => e switch
    {
        WorkerEffect.Load { IsAverage: true } => "load average",
        WorkerEffect.Ask { Message.IsAverage: true } => "ask for average",
        _ => e.GetType().Name.ToLowerInvariant(),
    }).Where(static e => e != "keep");

    [Fact]
    public void An_average_is_asked_for_though_the_weights_are_here_and_evaluated_once_it_is_whole()
    {
        var (state, effects) = After(Ready, Evaluate, Part(0, true), Part(1, true));
        Assert.Equal(["ask for average", "ask for average", "load average", "evaluate"], Done(effects));
        Assert.True(state.Holds(Four, isAverage: true));
        // More batches of it, those of a worker that is gone, need nothing more.
        Assert.Equal(["evaluate"], Done(After(state, Evaluate).Effects));
    }

    [Fact]
    public void A_step_after_it_asks_for_the_weights_again_and_is_not_computed_before_they_are_here()
    {
        Assert.Equal(["ask", "ask"], Done(After(Evaluated, Begin).Effects));
        Assert.Equal(["ask", "ask", "load", "compute"], Done(After(Evaluated, Begin, Part(0, false), Part(1, false)).Effects));
        // The next version comes by itself, and is no average either.
        var (state, effects) = After(Evaluated, Part(0, false, version: 5), Part(1, false, version: 5));
        Assert.Equal(["load"], Done(effects));
        Assert.True(state.Holds(new WeightsVersion(5), isAverage: false));
    }

    [Fact]
    public void Parts_of_the_weights_and_of_their_average_never_make_a_whole()
    {
        var (state, effects) = After(new WorkerState { Worker = new WorkerId(2), Shards = 2 }, Routes, Evaluate, Part(0, true), Part(1, false));
        Assert.Equal(["ask for average", "ask for average"], Done(effects));
        // The weights themselves come late: they are loaded, and the average's part is kept for when it is whole.
        Assert.Equal(["load", "load average", "evaluate"], Done(After(state, Part(0, false), Part(1, true)).Effects));
    }

    [Fact]
    public void A_step_that_is_open_says_that_the_evaluation_before_it_is_over()
    {
        var (state, effects) = After(Ready, Evaluate, Begin);
        Assert.Equal(["ask for average", "ask for average", "compute"], Done(effects));
        Assert.Equal("old weights", Assert.IsType<WorkerEffect.Refuse>(Assert.Single(After(state, Part(0, true)).Effects)).Reason);
    }
}
