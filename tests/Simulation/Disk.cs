using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>A commit log's file. Whoever has it open goes on writing to it, whatever its name is by then.</summary>
internal sealed class LogFile(int number)
{
    private readonly List<byte> _bytes = [];

    public int Number { get; } = number;
    public byte[] Bytes => [.. _bytes];

    /// <summary>The whole lines in it.</summary>
    public List<CommitRecord> Records { get; } = [];

    public void Append(CommitRecord record, byte[] line)
    {
        _bytes.AddRange(line);
        Records.Add(record);
    }

    /// <summary>The writer died in the middle of a line.</summary>
    public void AppendTorn(ReadOnlySpan<byte> part) => _bytes.AddRange(part);
}

/// <summary>The run's folder: it outlives every process, and every coordinator sees the same one.</summary>
internal sealed class Disk
{
    private int _files;

    /// <summary>No write succeeds until then.</summary>
    public double FullUntil { get; set; }

    /// <summary>The term file.</summary>
    public Term Term { get; set; }

    /// <summary><c>commits.jsonl</c>; null while it is moved away.</summary>
    public LogFile? Log { get; private set; }

    /// <summary>The file that was moved away last.</summary>
    public LogFile? MovedAway { get; private set; }

    /// <summary>Version -> whole state; here once it can be loaded.</summary>
    public SortedDictionary<WeightsVersion, (float[] Weights, float[] Momentum, long Applied)> Checkpoints { get; } = [];

    /// <summary>The log that counts.</summary>
    public LogFile? Authority => Log ?? MovedAway;

    public LogFile NewFile() => new(++_files);

    public void MoveLogAway()
    {
        if (Log is null) return;
        MovedAway = Log;
        Log = null;
    }

    /// <summary>Gives the file the log's name, unless there is a log: link(2), not rename(2).</summary>
    public bool TryName(LogFile file)
    {
        if (Log is not null) return false;
        Log = file;
        return true;
    }
}
