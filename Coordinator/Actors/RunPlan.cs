using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>What a coordinator carries out.</summary>
/// <param name="RunId">Keys the trace ids.</param>
/// <param name="Samples">Of the training set.</param>
/// <param name="Batch">B.</param>
/// <param name="Microbatches">K.</param>
/// <param name="TotalSteps">Last step.</param>
/// <param name="Workers">The run begins when so many are ready.</param>
/// <param name="TestBatches">Batches of the test set; 0 = there is none.</param>
/// <param name="EvalEvery">Steps between evaluations; 0 = at the end only.</param>
public sealed record RunPlan(
    string RunId, ulong Seed, int Samples, int Batch, int Microbatches, long TotalSteps, int Workers, StepRules Rules,
    LearningRateSchedule Schedule, int TestBatches, long EvalEvery)
{
    public StepPlan PlanOf(StepId step) => StepPlan.For(step, Samples, Batch, Microbatches);
}
