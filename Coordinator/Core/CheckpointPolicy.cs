using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>When a checkpoint falls due.</summary>
/// <param name="EverySteps">Steps between two; 0 = not by steps.</param>
/// <param name="EverySeconds">Seconds between two; 0 = not by time.</param>
public sealed record CheckpointPolicy(long EverySteps, double EverySeconds)
{
    /// <summary>No checkpoint at all, not even at the end.</summary>
    public static readonly CheckpointPolicy Never = new(0, 0);

    public bool IsOn => EverySteps > 0 || EverySeconds > 0;

    /// <param name="step">The step that has just finished.</param>
    /// <param name="secondsSinceLast">Since the last checkpoint was begun, or since the run began.</param>
    public bool IsDue(StepId step, double secondsSinceLast) =>
        EverySteps > 0 ? step.Value % EverySteps == 0 : EverySeconds > 0 && secondsSinceLast >= EverySeconds;
}
