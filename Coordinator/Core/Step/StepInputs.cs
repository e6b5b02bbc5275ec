using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>Open the next step. Legal when idle, for the step after the committed one.</summary>
/// <param name="Recorded">
/// The step's record when it is in the log already: it is replayed. It must come out as recorded, takes scale, rate and
/// decision from there, and appends nothing.
/// </param>
public sealed record OpenStep(StepPlan Plan, double LearningRate, CommitRecord? Recorded = null) : IStepInput
{
    /// <summary>What the evaluation of the version gave that the step begins with; null when there was none.</summary>
    public EvaluationNote? Evaluation { get; init; }

    /// <summary>By shard: holds the step's version already. Empty = none does. Only in a replay.</summary>
    public ImmutableArray<bool> Ahead { get; init; } = [];

    /// <summary>Every shard that is not ahead holds the recorded sum: nothing is computed.</summary>
    public bool HaveSums { get; init; }
}

/// <summary>A worker may be given leaves; from the next grant on.</summary>
public sealed record WorkerJoined(WorkerId Worker, int Devices = 1) : IStepInput;

/// <summary>A worker is gone; its leaves of the open step are leased to others.</summary>
/// <param name="IsPlanned">It leaves by its own wish.</param>
public sealed record WorkerLost(WorkerId Worker, string Cause, bool IsPlanned = false) : IStepInput;

/// <summary>Time has come to look for late leaves of this attempt. An old one is only noise.</summary>
public sealed record BudgetSpent(StepId Step, int Attempt) : IStepInput;

/// <summary>The record of this step is in the log.</summary>
public sealed record CommitWritten(StepId Step) : IStepInput;

/// <summary>Nothing has come in for a while: ask again for everything that is missing; answers or orders may have been lost.</summary>
public sealed record AskAgain : IStepInput;

/// <summary>Time to look whether a worker that was called hung is to be replaced.</summary>
public sealed record LookForStuck : IStepInput;
