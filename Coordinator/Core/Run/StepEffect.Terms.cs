using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Effects of terms and places.
public abstract partial record StepEffect
{
    /// <summary>Feed <see cref="GraceSpent"/> after so long.</summary>
    public sealed record StartGrace(double Milliseconds) : StepEffect;

    /// <summary>
    /// Write the term to the disk and fsync it, then feed <see cref="TermWritten"/>; but when the disk has a higher one
    /// than <paramref name="Known"/>, feed <see cref="TermTaken"/> and write nothing.
    /// </summary>
    public sealed record WriteTerm(Term Term, Term Known) : StepEffect;

    /// <summary>Send this to a replica.</summary>
    public sealed record ToReplica(ReplicaId Replica, IReplicaInput Message) : StepEffect;

    /// <summary>
    /// Take the longest log among the disk and these records, copy it to a new file, rename it over the old one, append
    /// to it from here on; then feed <see cref="LogAdopted"/>.
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
