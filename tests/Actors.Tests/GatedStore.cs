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

    public Term? WriteTerm(Term term, Term known) => store.WriteTerm(term, known);

    public LogAdopted? AdoptLog(Term term, IReadOnlyList<CommitRecord> promised) => store.AdoptLog(term, promised);

    public void Flush() => store.Flush();

    public LoadShard? Load(WeightsVersion version) => store.Load(version);

    public bool Append(ReadOnlySpan<byte> line)
    {
        var isIt = CommitLog.ReadLine(line[..^1], 1).Record.Step == at;
        if (isIt && !isBehind) Stand();
        var isOurs = store.Append(line);
        if (isIt && isBehind) Stand();
        return isOurs;
    }

    private void Stand()
    {
        _reached.SetResult();
        Assert.True(_gate.Wait(ClusterRun.Patience), "nobody opened the gate");
    }

    public void Dispose() => _gate.Dispose();
}
