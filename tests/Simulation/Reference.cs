using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>
/// The undisturbed run of the same configuration, computed in one straight line: no messages, no shards, one worker that
/// adds the leaves in the canonical tree. Which steps were skipped is the only thing taken from the run under test.
/// </summary>
internal sealed class Reference
{
    private readonly Scenario _scenario;
    private readonly List<(float[] Weights, float[] Momentum, long Applied)> _states = [];
    private readonly List<bool> _applied = [];

    public Reference(Scenario scenario)
    {
        _scenario = scenario;
        _states.Add((Arithmetic.FirstWeights(scenario.Seed), new float[Arithmetic.Floats], 0));
    }

    /// <summary>The decision about the next step.</summary>
    public void Decide(bool applied) => _applied.Add(applied);

    public int Decided => _applied.Count;

    /// <summary>Weights, momentum and applied steps of a version, all of whose steps are decided.</summary>
    public (float[] Weights, float[] Momentum, long Applied) At(WeightsVersion version)
    {
        while (_states.Count <= version.Value)
        {
            var before = _states[^1];
            var step = new StepId(_states.Count);
            if (!_applied[_states.Count - 1])
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
        return Arithmetic.Run(ReductionProgram.OverLeaves(_scenario.Plan(step).LeafCount), node => Arithmetic.Gradient(weights, step, node.Index));
    }

    /// <summary>What the record of a step must say if it is applied.</summary>
    public CommitRecord Record(StepId step)
    {
        var plan = _scenario.Plan(step);
        var weights = At(step.Consumes).Weights;
        var order = new SampleOrder(_scenario.Seed, plan.Epoch, _scenario.TrainingSamples);
        var sum = Sum(step);
        var norm = GlobalNorm.OfMean(Arithmetic.SquaredNorms(sum), plan.SampleCount);
        var (scale, tensors) = StepScaling.Of(_scenario.Rule, Arithmetic.Tensors).Of(norm, plan.SampleCount,
            [new ShardReduced(Term.First, step, 1, new ShardId(0), 0, [], [], default, Arithmetic.PieceSumsOf(_scenario.Rule, 0, sum, weights))]);
        return new CommitRecord(
            Term.First, step, 1, plan.Epoch, plan.SampleCount,
            Loss: TreeSum.Of([.. Enumerable.Range(0, plan.LeafCount).Select(leaf => Arithmetic.LossSum(weights, step, leaf))]) / plan.SampleCount,
            Accuracy: (double)Enumerable.Range(0, plan.LeafCount).Sum(leaf => Arithmetic.CorrectCount(step, leaf, plan.Leaf(leaf).Count)) / plan.SampleCount,
            norm, scale, Scenario.LearningRate(step), Applied: true,
            [.. Enumerable.Range(0, plan.LeafCount).Select(leaf => new LeafRecord(new WorkerId(0), plan.Leaf(leaf).Count, plan.DigestOf(leaf, order)))],
            TensorScales: tensors);
    }
}
