using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>The run's folder as the coordinator sees it. Called on the coordinator's thread.</summary>
public interface IRunStore : IDisposable
{
    /// <summary>The highest term that the folder has seen; 0 = none.</summary>
    Term ReadTerm();

    /// <summary>Puts the term on disk; on return it survives a power loss. Of two processes that ask for one term, one gets it.</summary>
    /// <param name="known">The highest that the caller knows of; the same as <paramref name="term"/> only asks.</param>
    /// <returns>Null when written, else the higher (or equal, somebody else's) term that the disk has: nothing was written.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    Term? WriteTerm(Term term, Term known);

    /// <summary>
    /// Makes the longer one of the log on disk and <paramref name="promised"/> the log. The old one is moved away before it
    /// is read, so whoever has it open learns at its next append that it writes to nothing; a copy takes its name, never
    /// over another coordinator's. Later appends go to the copy.
    /// </summary>
    /// <returns>Null when the disk has a higher term than <paramref name="term"/>.</returns>
    /// <exception cref="ClusterException">The log is damaged, or the two disagree.</exception>
    /// <exception cref="IOException">The disk refused; the log is as before, and to be adopted again.</exception>
    LogAdopted? AdoptLog(Term term, IReadOnlyList<CommitRecord> promised);

    /// <summary>Appends one whole line, newline included; on return it survives this process.</summary>
    /// <returns>False when another coordinator has moved this log away: the line is not in the log, and nothing may be done on it.</returns>
    /// <exception cref="IOException">Disk full or broken; the log is as before.</exception>
    bool Append(ReadOnlySpan<byte> line);

    /// <summary>Makes everything appended so far survive a power loss.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    void Flush();

    /// <summary>A version that <see cref="AdoptLog"/> offered; the caller releases it. Null = the seeded first weights are meant.</summary>
    LoadShard? Load(WeightsVersion version);
}
