using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What the actor is to do, in order. The protocol decides; it does nothing itself.</summary>
public abstract partial record StepEffect
{
    private StepEffect() { }

    /// <summary>Send a worker its leaves; an empty lease still tells it the step.</summary>
    public sealed record Grant(WorkerId Worker, IReadOnlyList<LeafRange> Leases) : StepEffect;

    /// <summary>Tell shards and workers that this attempt is void.</summary>
    public sealed record Abandon(StepId Step, int Attempt, string Reason) : StepEffect;

    /// <summary>Feed <see cref="BudgetSpent"/> after so long; replaces an earlier one.</summary>
    public sealed record StartBudget(StepId Step, int Attempt, double Milliseconds) : StepEffect;

    /// <summary>
    /// Write the record to the log, then look whether the file at the log's path is still the one that was written to: if
    /// so, feed <see cref="CommitWritten"/>, else <see cref="TermTaken"/>. Whoever takes the log over moves it away before
    /// reading it (<see cref="AdoptLog"/>), so a record that passes has been read by them. Nothing may be sent before.
    /// </summary>
    public sealed record AppendCommit(CommitRecord Record) : StepEffect;

    /// <summary>Send the record to these shards.</summary>
    /// <param name="Sum">What is to be applied; in a replay not the recorded attempt.</param>
    public sealed record SendApply(CommitRecord Record, SumKey Sum, IReadOnlyList<ShardId> Shards) : StepEffect;

    /// <summary>Ask these shards whether their sum is complete, and all workers to push their nodes to them again.</summary>
    public sealed record AskShards(SumKey Sum, IReadOnlyList<ShardId> Shards) : StepEffect;

    /// <summary>Every shard holds the new version.</summary>
    /// <param name="Replayed">The step was in the log before.</param>
    public sealed record Finished(CommitRecord Record, bool Replayed) : StepEffect;

    /// <summary>The input had no effect; counted by reason.</summary>
    public sealed record Drop(string Reason) : StepEffect;

    /// <summary>A sentence for people and for events.jsonl.</summary>
    public sealed record Say(string Kind, string Node, string Sentence) : StepEffect;

    /// <summary>A worker lives and is of no use: whoever started its process is to kill it and start it again.</summary>
    /// <param name="Reason">A sentence's end.</param>
    public sealed record Replace(WorkerId Worker, string Reason) : StepEffect;

    /// <summary>The run cannot go on.</summary>
    public sealed record Halt(string Reason) : StepEffect;
}
