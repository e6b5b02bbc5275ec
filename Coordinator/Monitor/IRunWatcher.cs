using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Monitor;

/// <summary>A step that is in the log and that every shard holds.</summary>
/// <param name="SincePrevious">Since the previous step finished, evaluations left out.</param>
/// <param name="IsReplayed">It was in the log before this process opened it.</param>
/// <param name="ImagesPerSecond">Over the recent steps; 0 when there is none to compare with.</param>
/// <param name="At">When, by the coordinator's clock.</param>
public readonly record struct CommittedStep(CommitRecord Record, TimeSpan SincePrevious, bool IsReplayed, double ImagesPerSecond, DateTimeOffset At);

/// <summary>A line of events.jsonl.</summary>
/// <param name="Node"><c>coordinator</c>, <c>worker-1</c>, <c>ps-0</c>; null when no single one is meant.</param>
public sealed record RunEvent(DateTimeOffset At, string Kind, string? Node, string? Phase, string Sentence);

/// <summary>How the run ended.</summary>
/// <param name="IsFinished">It came to its end, not to a stop or a failure.</param>
public sealed record RunEnding(StepId Last, bool IsFinished, string Reason, string? StateSha256);

/// <summary>
/// Watches a run and never holds it up: all calls come from one thread of their own, in the order of what happened,
/// up to a twentieth of a second late. What other threads read of a watcher (web requests), it guards itself.
/// </summary>
public interface IRunWatcher : IDisposable
{
    /// <summary>A step's leases are out. One that is opened again (another attempt or term) says so again.</summary>
    void Begun(StepId step, DateTimeOffset at) { }

    void Committed(CommittedStep step) { }

    /// <param name="predictions">The class given to each evaluated sample, in order; -1 for one that could not be decoded.</param>
    void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions) { }

    void Checkpointed(WeightsVersion version, TimeSpan took) { }

    void Happened(RunEvent happened) { }

    /// <param name="node"><c>worker-1</c>, <c>ps-0</c>, <c>coordinator</c>; in a run of one process <c>local</c>.</param>
    void Reported(string node, NodeReport report) { }

    /// <param name="process">As <see cref="Reported"/>'s node.</param>
    void Traced(string process, SpanBatch batch) { }

    void Ended(RunEnding ending) { }

    /// <summary>Called after every batch of calls, at least twenty times a second: a good moment to write what has gathered.</summary>
    void Rested() { }
}
