using Cluster.Chaos;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Cli.Nodes;

/// <summary>
/// A disk that is full by order: what the coordinator writes (records, terms, logs, checkpoints) fails as it does with ENOSPC.
/// events.jsonl goes on, since it has to tell. Any thread.
/// </summary>
internal sealed class DiskFault(NodeFaults faults)
{
    private const int NoSpace = 28;     // ENOSPC

    private long _step;

    /// <param name="file">What is written, for the message.</param>
    /// <param name="step">The step whose record is written; null = as before.</param>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Check(string file, StepId? step = null)
    {
        if (step is { } now) Interlocked.Exchange(ref _step, now.Value);
        if (!faults.Has(FaultKind.DiskFull)) return;
        if (faults.InForce(FaultKind.DiskFull, new StepId(Interlocked.Read(ref _step))) is not null) throw new IOException($"No space left on device : '{file}'", NoSpace);
    }

    /// <summary>The same disk for checkpoints.</summary>
    public ICheckpointFiles Over(ICheckpointFiles files) => new Files(files, this);

    private sealed class Files(ICheckpointFiles inner, DiskFault disk) : ICheckpointFiles
    {
        public void CreateFolder(string path)
        {
            disk.Check(path);
            inner.CreateFolder(path);
        }

        public ICheckpointFile CreateFile(string path)
        {
            disk.Check(path);
            return new OneFile(inner.CreateFile(path), disk, path);
        }

        public void FlushFolder(string path) => inner.FlushFolder(path);

        public void Move(string from, string to) => inner.Move(from, to);

        public bool TryExchange(string first, string second) => inner.TryExchange(first, second);

        public void DeleteFolder(string path) => inner.DeleteFolder(path);
    }

    private sealed class OneFile(ICheckpointFile inner, DiskFault disk, string path) : ICheckpointFile
    {
        public void Append(ReadOnlySpan<byte> bytes)
        {
            disk.Check(path);
            inner.Append(bytes);
        }

        public void Flush()
        {
            disk.Check(path);
            inner.Flush();
        }

        public void Dispose() => inner.Dispose();
    }
}
