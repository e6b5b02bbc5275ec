using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

/// <summary>A folder whose coordinator is stopped, as a process can be at any point, before or behind the write of one step's record.</summary>
internal sealed class GatedStore(IRunStore store, StepId at, bool isBehind) : IRunStore
{
    private readonly ManualResetEventSlim _gate = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The coordinator stands at the record.</summary>
    public Task Reached => _reached.Task;

    public void Open() => _gate.Set();

    public Term ReadTerm() => store.ReadTerm();

    public void WriteTerm(Term term) => store.WriteTerm(term);

    public LogAdopted AdoptLog(IReadOnlyList<CommitRecord> promised) => store.AdoptLog(promised);

    public LoadShard? Load(WeightsVersion version) => store.Load(version);

    public void Append(ReadOnlySpan<byte> line)
    {
        var isIt = CommitLog.ReadLine(line[..^1], 1).Record.Step == at;
        if (isIt && !isBehind) Stand();
        store.Append(line);
        if (isIt && isBehind) Stand();
    }

    private void Stand()
    {
        _reached.SetResult();
        Assert.True(_gate.Wait(ClusterRun.Patience), "nobody opened the gate");
    }

    public void Dispose() => _gate.Dispose();
}
