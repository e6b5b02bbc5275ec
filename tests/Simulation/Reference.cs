using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>
/// The undisturbed run of the same configuration, computed in one straight line: no messages, no shards, one worker that
/// adds the leaves in the canonical tree. Which steps were skipped, and which samples left out, is all that is taken from the run under test.
/// </summary>
internal sealed class Reference
{
    private readonly Scenario _scenario;
    private readonly List<(float[] Weights, float[] Momentum, long Applied)> _states = [];
    private readonly List<(bool Applied, IReadOnlyList<int>? LeftOut)> _decided = [];

    public Reference(Scenario scenario)
    {
        _scenario = scenario;
        _states.Add((Arithmetic.FirstWeights(scenario.Seed), new float[Arithmetic.Floats], 0));
    }

    /// <summary>The decision about the next step.</summary>
    public void Decide(CommitRecord record) => _decided.Add((record.Applied, record.LeftOut));

    /// <summary>Weights, momentum and applied steps of a version, all of whose steps are decided.</summary>
    public (float[] Weights, float[] Momentum, long Applied) At(WeightsVersion version)
    {
        while (_states.Count <= version.Value)
        {
            var before = _states[^1];
            var step = new StepId(_states.Count);
            if (!_decided[_states.Count - 1].Applied)
            {
                _states.Add(before);
                continue;
            }
            var record = Record(step);
            var (weights, momentum) = Arithmetic.Update(_scenario.Rule, 0, before.Weights, before.Momentum, Sum(step), record, before.Applied == 0);
            _states.Add((weights, momentum, before.Applied + 1));
        }
        return _states[(int)version.Value];
    }

    private float[] Sum(StepId step)
    {
        var weights = At(step.Consumes).Weights;
        var plan = _scenario.Plan(step);
        var (_, leftOut) = _decided[(int)step.Value - 1];
        var empty = EmptyOf(plan, leftOut);
        if (empty.Length == plan.LeafCount) return new float[Arithmetic.Floats];
        return Arithmetic.Run(ReductionProgram.OverLeaves(plan.LeafCount, empty), node => Arithmetic.Gradient(weights, step, node.Index, Arithmetic.Missing(_scenario, plan, node.Index, leftOut)));
    }

    private int[] EmptyOf(StepPlan plan, IReadOnlyList<int>? leftOut) =>
        [.. Enumerable.Range(0, plan.LeafCount).Where(leaf => CountOf(plan, leaf, leftOut) == 0)];

    private int CountOf(StepPlan plan, int leaf, IReadOnlyList<int>? leftOut) => _scenario.SamplesOf(plan, leaf).Count(s => leftOut?.Contains(s) != true);

    /// <summary>What the record of a step must say if it is applied.</summary>
    public CommitRecord Record(StepId step)
    {
        var plan = _scenario.Plan(step);
        var (_, leftOut) = _decided[(int)step.Value - 1];
        var weights = At(step.Consumes).Weights;
        var order = new SampleOrder(_scenario.Seed, plan.Epoch, _scenario.TrainingSamples);
        var leaves = Enumerable.Range(0, plan.LeafCount).Select(leaf => new LeafRecord(new WorkerId(0), CountOf(plan, leaf, leftOut), plan.DigestOf(leaf, order, leftOut))).ToArray();
        var samples = leaves.Sum(static l => l.Samples);
        if (samples == 0) return new CommitRecord(Term.First, step, 1, plan.Epoch, 0, double.NaN, 0, double.NaN, 1, Scenario.LearningRate(step), Applied: false, leaves);
        var sum = Sum(step);
        var norm = GlobalNorm.OfMean(Arithmetic.SquaredNorms(sum), samples);
        var (scale, tensors) = StepScaling.Of(_scenario.Rule, Arithmetic.Tensors).Of(norm, samples,
            [new ShardReduced(Term.First, step, 1, new ShardId(0), 0, [], [], default, Arithmetic.PieceSumsOf(_scenario.Rule, 0, sum, weights))]);
        return new CommitRecord(
            Term.First, step, 1, plan.Epoch, samples,
            Loss: TreeSum.Of([.. Enumerable.Range(0, plan.LeafCount).Select(leaf => Arithmetic.LossSum(weights, step, leaf))], EmptyOf(plan, leftOut)) / samples,
            Accuracy: (double)Enumerable.Range(0, plan.LeafCount).Sum(leaf => Arithmetic.CorrectCount(step, leaf, leaves[leaf].Samples)) / samples,
            norm, scale, Scenario.LearningRate(step), Applied: true, leaves, TensorScales: tensors);
    }
}
