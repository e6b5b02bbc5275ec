using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Checkpoints;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Hosting;

/// <summary>The whole checkpoints of a run's folder, for a coordinator that restores from them.</summary>
internal sealed class StoredCheckpoints(string folder, ParameterLayout layout) : ICheckpointSource
{
    private CheckpointInfo? _found;

    public WeightsVersion? Newest(StepId logged)
    {
        // The log is flushed before a checkpoint is written, so none is newer than it unless somebody cut the log.
        _found = new CheckpointStore(folder).FindNewest(layout).Newest;
        return _found is { } found && found.Version.Value <= logged.Value ? found.Version : null;
    }

    public LoadShard Load(WeightsVersion version)
    {
        if (_found is not { } found || found.Version != version) throw new ClusterException($"{folder} has no whole checkpoint of step {version} any more");
        var loaded = CheckpointStore.Load(found.Path, layout);
        return LoadShard.First(Term.First, loaded.State, default) with { Version = loaded.Version, Slots = loaded.Slots, AppliedSteps = loaded.AppliedSteps };
    }
}

/// <summary>A state that was brought along, and no folder: for an evaluation, which commits nothing.</summary>
internal sealed class LoadedState(LoadShard state) : IRunStore
{
    public Term ReadTerm() => new(0);

    public Term? WriteTerm(Term term, Term known) => null;

    public LogAdopted? AdoptLog(Term term, IReadOnlyList<CommitRecord> promised) => new(new StepId(state.Version.Value), state.Version, []);

    public bool Append(ReadOnlySpan<byte> line) => throw new ClusterException("an evaluation commits nothing");

    public void Flush() { }

    public LoadShard? Load(WeightsVersion version) => state.Share();

    public void Dispose() => state.Release();
}
