using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>What a run tells its host. Called on the coordinator's thread: return at once.</summary>
public interface IRunListener
{
    /// <summary>A step is in the log and every shard holds its version.</summary>
    /// <param name="sincePrevious">Since the previous step finished.</param>
    /// <param name="replayed">It was in the log before this process began.</param>
    void Committed(CommitRecord record, TimeSpan sincePrevious, bool replayed);

    /// <param name="predictions">The class given to each sample of the test set, in order.</param>
    void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions);

    void Checkpointed(CheckpointWritten checkpoint);

    /// <summary>Something unusual, as a sentence.</summary>
    void Said(string kind, string node, string sentence);

    /// <summary>No more messages will come. <paramref name="last"/> is the last committed step.</summary>
    void Ended(StepId last, RunEnd end, string reason);
}

/// <summary>Why a run ended.</summary>
public enum RunEnd
{
    Finished,
    Stopped,
    Failed,

    /// <summary>Failed because of something that the user can mend.</summary>
    UserMistake,
}
