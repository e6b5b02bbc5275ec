using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>What a run tells its host. Called on the coordinator's thread: return at once.</summary>
public interface IRunListener
{
    /// <summary>A step is in the log and every shard holds its version.</summary>
    /// <param name="sincePrevious">Since the previous step finished.</param>
    void Committed(CommitRecord record, TimeSpan sincePrevious);

    void Evaluated(EvaluationTotals totals);

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
