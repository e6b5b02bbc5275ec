using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>Open the next step. Legal when idle, for the step after the committed one.</summary>
/// <param name="Recorded">
/// The step's record when it is in the log already: it is replayed. It must come out as recorded, takes scale, rate and
/// decision from there, and appends nothing.
/// </param>
public sealed record OpenStep(StepPlan Plan, double LearningRate, CommitRecord? Recorded = null) : IStepInput;

/// <summary>A worker may be given leaves; from the next grant on.</summary>
public sealed record WorkerJoined(WorkerId Worker) : IStepInput;

/// <summary>A worker is gone; its leaves of the open step are leased to others.</summary>
public sealed record WorkerLost(WorkerId Worker, string Cause) : IStepInput;

/// <summary>A worker's speed was measured, in leaves per second.</summary>
public sealed record SpeedMeasured(WorkerId Worker, double LeavesPerSecond) : IStepInput;

/// <summary>The time for the open leaves of this attempt is over. An old one is only noise.</summary>
public sealed record BudgetSpent(StepId Step, int Attempt) : IStepInput;

/// <summary>The record of this step is in the log.</summary>
public sealed record CommitWritten(StepId Step) : IStepInput;
