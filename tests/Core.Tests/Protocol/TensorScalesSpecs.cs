using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>Two parameters in two pieces on two shards, each clipped to a norm of 1; a step of two leaves with eight samples.</summary>
public sealed class TensorScalesSpecs
{
    private static StepState Opened(CommitRecord? recorded = null, params bool[] ahead)
    {
        var scaling = StepScaling.Of(new OptimizerOptions { ClipParameterNorm = 1 }, new TensorPieces([0, 1], [true, true], [0, 0]));
        var state = StepState.Start(new StepRules(2, 2, scaling, NonFinitePolicy.Skip, StragglerRules.Off), Term.First, new StepId(0));
        (state, _) = StepProtocol.Advance(state, new WorkerJoined(new WorkerId(0)), 0);
        return StepProtocol.Advance(state, new OpenStep(new StepPlan(new StepId(1), 0, 0, 8, 2), 0.1, recorded) { Ahead = [.. ahead] }, 0).Next;
    }

    /// <param name="norms">Of each parameter's mean gradient; null for a shard that says nothing.</param>
    private static List<StepEffect> Run(StepState state, bool isFinite = true, params double?[] norms)
    {
        var inputs = new List<IStepInput>();
        for (var leaf = 0; leaf < 2; leaf++)
            inputs.Add(new LeafDone(state.Term, state.Step, state.Attempt, leaf, new WorkerId(0), 4, leaf * 0.5, 1, (ulong)leaf, isFinite, isFinite ? null : "w", default));
        for (var p = 0; p < norms.Length; p++)
            if (norms[p] is { } norm) inputs.Add(new ShardReduced(state.Term, state.Step, state.Attempt, new ShardId(p), p, [64 * norm * norm], [], default, [64 * norm * norm]));
        var effects = new List<StepEffect>();
        foreach (var input in inputs)
        {
            (state, var more) = StepProtocol.Advance(state, input, 0);
            effects.AddRange(more);
        }
        return effects;
    }

    private static CommitRecord Committed() => Assert.Single(Run(Opened(), norms: [4, 0.5]).OfType<StepEffect.AppendCommit>()).Record;

    [Fact]
    public void The_record_has_a_factor_per_parameter_and_the_smallest_of_them()
    {
        var record = Committed();
        Assert.Equal([1 / (4 + 1e-6), 1], record.TensorScales!);
        Assert.Equal((1 / (4 + 1e-6), true), (record.Scale, record.Applied));
    }

    [Fact]
    public void A_skipped_step_has_no_factors()
    {
        var record = Assert.Single(Run(Opened(), isFinite: false).OfType<StepEffect.AppendCommit>()).Record;
        Assert.Equal((false, 1.0), (record.Applied, record.Scale));
        Assert.Null(record.TensorScales);
    }

    [Fact]
    public void A_replay_applies_the_recorded_factors_and_halts_when_they_come_out_otherwise()
    {
        var record = Committed();
        Assert.Same(record, Assert.Single(Run(Opened(record), norms: [4, 0.5]).OfType<StepEffect.SendApply>()).Record);
        var other = record with { TensorScales = [record.TensorScales![0], Math.BitDecrement(1)] };
        Assert.Contains("scale of parameter 1", Assert.Single(Run(Opened(other), norms: [4, 0.5]).OfType<StepEffect.Halt>()).Reason);
        Assert.Contains("scales of 2 tensors instead of 0", Assert.Single(Run(Opened(record with { TensorScales = null }), norms: [4, 0.5]).OfType<StepEffect.Halt>()).Reason);
    }

    [Fact]
    public void A_replay_beside_a_shard_that_is_ahead_takes_the_factors_from_the_record()
    {
        var record = Committed();
        var apply = Assert.Single(Run(Opened(record, true, false), norms: [null, 0.5]).OfType<StepEffect.SendApply>());
        Assert.Same(record, apply.Record);
        Assert.Equal([new ShardId(1)], apply.Shards);
    }
}
