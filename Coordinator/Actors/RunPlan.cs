using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>What a coordinator carries out.</summary>
/// <param name="RunId">Keys the trace ids.</param>
/// <param name="Samples">Of the training set.</param>
/// <param name="Batch">B.</param>
/// <param name="Microbatches">K.</param>
/// <param name="TotalSteps">Last step; that of the loaded version when there is only something to evaluate.</param>
/// <param name="Workers">The first step waits until so many are ready.</param>
/// <param name="TestBatches">Batches of the test set; 0 = there is none.</param>
/// <param name="EvalEvery">Steps between evaluations; 0 = at the end only.</param>
public sealed record RunPlan(
    string RunId, ulong Seed, ParameterLayout Layout, int Samples, int Batch, int Microbatches, long TotalSteps, int Workers, StepRules Rules, TermRules Terms,
    LearningRateSchedule Schedule, int TestBatches, long EvalEvery, CheckpointPolicy Checkpoints)
{
    /// <summary>What counters stood at before the run's first step; 0 where absent.</summary>
    public IReadOnlyDictionary<string, long> CounterBase { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Evaluations are of the average of the weights, which the shards keep.</summary>
    public bool EvaluatesAverage { get; init; }

    /// <summary>Steps between versions whose weights somebody looks at while training goes on; 0 = nobody does.</summary>
    public long LookEvery { get; init; }

    /// <summary>When a run that no longer gets better ends. Patience needs evaluations and checkpoints.</summary>
    public EarlyStoppingOptions EarlyStopping { get; init; } = new();

    /// <summary>The run fails when its last worker does: nobody restarts it.</summary>
    public bool EndsWithLastWorker { get; init; } = true;

    /// <summary>How long nothing may come in before everything missing is asked for again.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(10);

    public StepPlan PlanOf(StepId step) => StepPlan.For(step, Samples, Batch, Microbatches);
}
