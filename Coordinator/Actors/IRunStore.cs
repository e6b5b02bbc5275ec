using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>The run's folder as the coordinator sees it. Called on the coordinator's thread.</summary>
public interface IRunStore : IDisposable
{
    /// <summary>The highest term that the folder has seen; 0 = none.</summary>
    Term ReadTerm();

    /// <summary>Puts the term on disk; on return it survives a power loss.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    void WriteTerm(Term term);

    /// <summary>
    /// Makes the longer one of the log on disk and <paramref name="promised"/> the log: copied to a new file that takes the
    /// old one's name, so that whoever has the old one open writes to nothing. Later appends go to it.
    /// </summary>
    /// <exception cref="ClusterException">The log is damaged, or the two disagree.</exception>
    /// <exception cref="IOException">The disk refused; the log is as before, and to be adopted again.</exception>
    LogAdopted AdoptLog(IReadOnlyList<CommitRecord> promised);

    /// <summary>Appends one whole line, newline included; on return it survives this process.</summary>
    /// <exception cref="IOException">Disk full or broken; the log is as before.</exception>
    void Append(ReadOnlySpan<byte> line);

    /// <summary>A version that <see cref="AdoptLog"/> offered; the caller releases it. Null = the seeded first weights are meant.</summary>
    LoadShard? Load(WeightsVersion version);
}
