using Cluster.Contracts;
using Cluster.Coordinator.Actors;

namespace Cluster.Actors.Tests;

/// <summary>Checkpoints that are kept in memory: written through the real snapshot actor, restored through the real store.</summary>
internal sealed class MemoryCheckpoints(ParameterLayout layout) : ICheckpointWriter, ICheckpointSource, IDisposable
{
    private readonly SortedDictionary<long, LoadShard> _kept = [];

    private int _refusals;

    /// <summary>So many writes are refused, as by a full disk.</summary>
    public void RefuseNext(int count) => _refusals = count;

    public IReadOnlyList<long> Versions
    {
        get
        {
            lock (_kept) return [.. _kept.Keys];
        }
    }

    public (string Folder, long Bytes) Write(CheckpointDue due, IReadOnlyList<ShardSnapshot> parts)
    {
        if (Interlocked.Decrement(ref _refusals) >= 0) throw new IOException("no space left on device");
        var state = NativeBuffer.Allocate(layout.StateFloats);
        var slots = new Dictionary<string, NativeBuffer>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            part.Weights.Span.CopyTo(state.Span[part.Offset..]);
            foreach (var (name, values) in part.Slots)
            {
                if (!slots.TryGetValue(name, out var slot)) slots[name] = slot = NativeBuffer.Allocate(StateSlots.LengthOf(name, layout));
                values.Span.CopyTo(slot.Span[part.Offset..]);
            }
        }
        lock (_kept) _kept[due.Version.Value] = new LoadShard(Term.First, due.Version, state, slots, parts[0].AppliedSteps, default);
        return ("memory", (long)layout.StateFloats * sizeof(float));
    }

    public WeightsVersion? Newest(StepId logged)
    {
        lock (_kept)
        {
            var fit = _kept.Keys.Where(v => v <= logged.Value).ToArray();
            return fit.Length == 0 ? null : new WeightsVersion(fit[^1]);
        }
    }

    public LoadShard Load(WeightsVersion version)
    {
        lock (_kept) return _kept[version.Value].Share();
    }

    public void Dispose()
    {
        foreach (var kept in _kept.Values) kept.Release();
    }
}
