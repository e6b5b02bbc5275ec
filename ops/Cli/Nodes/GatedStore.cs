using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Nodes;

/// <summary>A run's store whose records wait for <see cref="FaultGate"/>, whose disk may be full by order, and that tells when shards go back to a checkpoint.</summary>
/// <param name="restored">Hears a sentence; coordinator's thread.</param>
internal sealed class GatedStore(RunStore store, FaultGate gate, DiskFault disk, Action<string> restored) : IRunStore
{
    private long _next = 1;
    private LogAdopted? _untold;

    public Term ReadTerm() => store.ReadTerm();

    public Term? WriteTerm(Term term, Term known)
    {
        // The same term only asks.
        if (term != known) disk.Check("term");
        return store.WriteTerm(term, known);
    }

    public LogAdopted? AdoptLog(Term term, IReadOnlyList<CommitRecord> promised)
    {
        disk.Check("commits.jsonl");
        if (store.AdoptLog(term, promised) is not { } adopted) return null;
        _next = adopted.Last.Value + 1;
        _untold = adopted;
        return adopted;
    }

    public bool Append(ReadOnlySpan<byte> line)
    {
        var step = new StepId(_next);
        gate.Wait(step);
        disk.Check("commits.jsonl", step);
        var isOurs = store.Append(line);
        _next++;
        return isOurs;
    }

    public void Flush() => store.Flush();

    /// <summary>Asked for only when shards hold less than the log says. A load that is repeated is told once.</summary>
    public LoadShard? Load(WeightsVersion version)
    {
        var loaded = store.Load(version);
        if (_untold is { Last.Value: > 0 } adopted)
        {
            var from = loaded is null ? "the seeded first weights (there is no whole checkpoint)" : $"the checkpoint of step {version}";
            restored($"The shards hold less than the log, which ends at step {adopted.Last}: all load {from}.");
        }
        _untold = null;
        return loaded;
    }

    public void Dispose() => store.Dispose();
}
