using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>What a run tells its host. Called on the coordinator's thread: return at once.</summary>
public interface IRunListener
{
    /// <summary>A step's leases are out. A step that is opened again (another attempt or term) says so again.</summary>
    void Begun(StepId step);

    /// <summary>A step is in the log and every shard holds its version.</summary>
    /// <param name="sincePrevious">Since the previous step finished.</param>
    /// <param name="replayed">It was in the log before this term began.</param>
    void Committed(CommitRecord record, TimeSpan sincePrevious, bool replayed);

    /// <summary>What the devices did for a step, told just before <see cref="Committed"/>: waiting for data, and computing; sums over leaves.</summary>
    void Worked(StepId step, TimeSpan waited, TimeSpan computed) { }

    /// <param name="predictions">The class given to each sample of the test set, in order; -1 for one that could not be decoded.</param>
    void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions);

    void Checkpointed(CheckpointWritten checkpoint);

    /// <summary>Something unusual, as a sentence.</summary>
    void Said(string kind, string node, string sentence);

    /// <summary>A worker lives and is of no use: its process is to be killed and started again, where somebody can do that.</summary>
    /// <param name="reason">A sentence's end.</param>
    void Stuck(WorkerId worker, string reason) { }

    /// <summary>No more messages will come.</summary>
    void Ended(RunOutcome outcome);
}

/// <summary>How a run ended.</summary>
/// <param name="Last">Last committed step.</param>
/// <param name="StateSha256">Of the state after it; null when the shards could not be asked, or the result is another version.</param>
public sealed record RunOutcome(StepId Last, RunEnd End, string Reason, string? StateSha256)
{
    /// <summary>The run ended before its last step: its result is this version's checkpoint, which is on disk. Null = it did not.</summary>
    public EarlyStop? Early { get; init; }
}

/// <summary>Why a run ended.</summary>
public enum RunEnd
{
    Finished,
    Stopped,
    Failed,

    /// <summary>Failed because of something that the user can mend.</summary>
    UserMistake,

    /// <summary>Another coordinator has taken over.</summary>
    SteppedDown,
}
