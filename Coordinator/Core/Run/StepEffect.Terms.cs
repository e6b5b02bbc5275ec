using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Effects of terms and places.
public abstract partial record StepEffect
{
    /// <summary>Feed <see cref="GraceSpent"/> after so long.</summary>
    public sealed record StartGrace(double Milliseconds) : StepEffect;

    /// <summary>
    /// Write the term to the disk and fsync it, then feed <see cref="TermWritten"/>; but when the disk has a higher one
    /// than <paramref name="Known"/>, feed <see cref="TermTaken"/> and write nothing. The same term may come again.
    /// </summary>
    public sealed record WriteTerm(Term Term, Term Known) : StepEffect;

    /// <summary>Send this to a replica.</summary>
    public sealed record ToReplica(ReplicaId Replica, IReplicaInput Message) : StepEffect;

    /// <summary>
    /// Take the longest log among the disk and these records, append to a copy of it from here on, and feed
    /// <see cref="LogAdopted"/>. In this order, so that no record of a coordinator that is still writing is overlooked:
    /// move the log away from its path (rename; where there is none, it is the one that was moved away last), read it,
    /// write the copy, and give it the path without replacing anything (link, not rename; where somebody else has done so,
    /// begin again). When the disk has a higher term by then, feed <see cref="TermTaken"/> and change nothing.
    /// </summary>
    public sealed record AdoptLog(IReadOnlyList<CommitRecord> Promised) : StepEffect;

    /// <summary>Give these replicas their part of this version: from its checkpoint, or the seeded first weights.</summary>
    public sealed record LoadVersion(WeightsVersion Version, IReadOnlyList<ReplicaId> Replicas) : StepEffect;

    /// <summary>Tell this worker who holds the shards.</summary>
    public sealed record TellRoutes(WorkerId Worker, Routes Routes) : StepEffect;

    /// <summary>The term is in force.</summary>
    public sealed record InForce(Term Term) : StepEffect;

    /// <summary>Form the step's plan and rate and feed <see cref="Core.OpenStep"/>, with what is said here.</summary>
    public sealed record OpenNext(StepId Step, CommitRecord? Recorded, IReadOnlyList<bool> Ahead, bool HaveSums) : StepEffect;

    /// <summary>Another coordinator acts; end without touching anything.</summary>
    public sealed record StepDown(string Reason) : StepEffect;
}
