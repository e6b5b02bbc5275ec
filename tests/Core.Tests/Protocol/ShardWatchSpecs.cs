using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>Which process with shards keeps the run waiting, on states of the step protocol.</summary>
public sealed class ShardWatchSpecs
{
    private static readonly NodeId Ps0 = new(0, 1), Ps1 = new(1, 1);
    private static readonly WorkerId Worker = new(0);

    private readonly ImmutableArray<ShardPlace> _places = [new(new ShardId(0), Ps0, Ps1), new(new ShardId(1), Ps1, Ps0)];
    private readonly List<string> _said = [];
    private StepState _state = StepState.Start(new StepRules(2, 2, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Off), Term.First, new StepId(0));
    private ShardWatch _watch = ShardWatch.Nothing;
    private double _now;

    public ShardWatchSpecs() => Feed(new WorkerJoined(Worker));

    [Fact]
    public void Steps_in_time_name_nobody()
    {
        for (var step = 1; step <= 50; step++) Step(step, sum: [30, 200], update: [40, 900]);
        Assert.Empty(_said);
    }

    [Fact]
    public void Shard_that_does_not_sum_is_named_after_a_second_once_until_it_is_in_time_again()
    {
        Step(1, [30, 30], [30, 30]);
        Step(2, [30, 3_000], [30, 30]);
        Step(3, [30, 3_000], [30, 30]);
        Assert.Equal(["ps-1 has not summed the gradients of step 2 although all leaves are computed, for 1.0 s: it is alive, and its messages wait, or come to it late."], _said);
        Step(4, [30, 30], [30, 30]);
        Step(5, [3_000, 3_000], [30, 30]);
        Assert.Equal(["ps-0", "ps-1"], _said.Skip(1).Select(static s => s.Split(' ')[0]));
    }

    [Fact]
    public void Update_that_waits_for_a_standby_known_to_be_late_names_no_primary()
    {
        Step(1, [30, 3_000], [3_000, 3_000]);
        Assert.StartsWith("ps-1 has not summed", Assert.Single(_said));
    }

    [Fact]
    public void Shard_that_does_not_apply_is_named_with_its_standby()
    {
        Step(1, [30, 30], [3_000, 30]);
        Assert.StartsWith("ps-0 has not applied step 1, which its standby on ps-1 does first, for 1.0 s", Assert.Single(_said));
    }

    [Fact]
    public void Shard_that_is_always_slow_is_in_time_by_its_own_measure()
    {
        for (var step = 1; step <= 10; step++) Step(step, [800, 30], [30, 30]);
        Step(11, [3_500, 30], [30, 30]);
        Assert.Empty(_said);
    }

    [Fact]
    public void While_a_leaf_is_being_computed_no_shard_is_late()
    {
        Open(1);
        Wait(5_000);
        Assert.Empty(_said);
    }

    [Fact]
    public void Worker_that_hangs_in_a_leaf_that_another_has_pushed_hides_no_late_shard()
    {
        Open(1);
        _state = _state with { Leases = _state.Leases.Add(new Lease(new WorkerId(1), new LeafRange(0, 1))) };
        Report();
        Wait(3_000);
        Assert.Equal(["ps-0", "ps-1"], _said.Select(static s => s.Split(' ')[0]));
    }

    /// <summary>One step whose shards answer after these milliseconds.</summary>
    private void Step(long step, double[] sum, double[] update)
    {
        Open(step);
        Wait(20);
        Report();
        Answer(sum, shard => new ShardReduced(_state.Term, _state.Step, _state.Attempt, new ShardId(shard), shard, [1.0], [new Contribution(new TreeNode(0, 0), Worker)], default));
        Feed(new CommitWritten(_state.Step));
        Answer(update, shard => new ShardApplied(_state.Term, _state.Step.Produces, new ShardId(shard), default));
        Assert.Equal(StepPhase.Idle, _state.Phase);
    }

    private void Open(long step) => Feed(new OpenStep(new StepPlan(new StepId(step), 0, 0, 1, 1), 0.1));

    private void Report() => Feed(new LeafDone(_state.Term, _state.Step, _state.Attempt, 0, Worker, 1, 0, 0, 0, true, null, default));

    private void Answer(double[] after, Func<int, IStepInput> message)
    {
        var passed = 0.0;
        foreach (var (milliseconds, shard) in after.Select(static (ms, shard) => (ms, shard)).Order())
        {
            Wait(milliseconds - passed);
            passed = milliseconds;
            Feed(message(shard));
        }
    }

    /// <summary>Looks every 10 ms, as the actor's timer does every now and then.</summary>
    private void Wait(double milliseconds)
    {
        for (var end = _now + milliseconds; _now < end; _now += 10) Look();
    }

    private void Feed(IStepInput input)
    {
        (_state, _) = StepProtocol.Advance(_state, input, _now);
        Look();
    }

    private void Look()
    {
        (_watch, var said) = ShardWatch.Look(_watch, _state, _places, _now);
        _said.AddRange(said.Select(static s => s.Sentence));
    }
}
