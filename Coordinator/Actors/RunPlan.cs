using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>What a coordinator carries out.</summary>
/// <param name="RunId">Keys the trace ids.</param>
/// <param name="Samples">Of the training set.</param>
/// <param name="Batch">B.</param>
/// <param name="Microbatches">K.</param>
/// <param name="TotalSteps">Last step; that of <paramref name="Start"/> when there is only something to evaluate.</param>
/// <param name="Workers">The run begins when so many are ready.</param>
/// <param name="TestBatches">Batches of the test set; 0 = there is none.</param>
/// <param name="EvalEvery">Steps between evaluations; 0 = at the end only.</param>
/// <param name="Start">Where to begin when not at the seeded first weights of a new run.</param>
public sealed record RunPlan(
    string RunId, ulong Seed, int Samples, int Batch, int Microbatches, long TotalSteps, int Workers, StepRules Rules,
    LearningRateSchedule Schedule, int TestBatches, long EvalEvery, CheckpointPolicy Checkpoints, RunStart? Start = null)
{
    public StepPlan PlanOf(StepId step) => StepPlan.For(step, Samples, Batch, Microbatches);
}

/// <summary>A run that goes on: a loaded version, and the records that the log holds beyond it.</summary>
/// <param name="Term">A new one: 1 + the highest in the log.</param>
/// <param name="State">The loaded state; null = the seeded first weights. The coordinator releases it.</param>
/// <param name="Recorded">Steps after <paramref name="Version"/> that are decided: they are replayed.</param>
public sealed record RunStart(Term Term, WeightsVersion Version, LoadShard? State, IReadOnlyList<CommitRecord> Recorded);
