using System.Text.Json.Nodes;
using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>What goes into a checkpoint. The caller keeps the buffers alive and unchanged until Write returns, then disposes them.</summary>
/// <param name="Version">The weights' version: the step that made them.</param>
/// <param name="AppliedSteps">Steps that were applied (not skipped) up to the version.</param>
/// <param name="Weights">[StateFloats].</param>
/// <param name="Slots">Optimizer state by name, e.g. <c>momentum_buffer</c>, each of <see cref="StateSlots.LengthOf(string, ParameterLayout)"/>; may be empty.</param>
/// <param name="Facts">Whatever the caller wants to find again (configuration, epoch, seed, fingerprint); <c>test_accuracy</c>, a number from 0 to 1, ranks checkpoints.</param>
public sealed record CheckpointContent(
    ParameterLayout Layout, WeightsVersion Version, long AppliedSteps, StatePieces Weights, IReadOnlyDictionary<string, StatePieces> Slots, JsonObject Facts)
{
    /// <summary>Values of the layout's counters by name, where they are not <see cref="AppliedSteps"/>: in runs that began with imported weights.</summary>
    public IReadOnlyDictionary<string, long> Counters { get; init; } = new Dictionary<string, long>();

    internal long Counter(StateEntry entry) => Counters.TryGetValue(entry.Name, out var value) ? value : AppliedSteps;
}

/// <summary>A checkpoint in memory. Dispose it: it owns the buffers.</summary>
/// <param name="State">[StateFloats]: parameters, zero padding, buffers.</param>
/// <param name="Slots">Optimizer state by name, each of <see cref="StateSlots.LengthOf(string, ParameterLayout)"/> in the state's places, zero padding.</param>
/// <param name="Counters">Values of all of the layout's counters.</param>
/// <param name="Facts">As they were given.</param>
public sealed record LoadedCheckpoint(
    string Path, WeightsVersion Version, long AppliedSteps, NativeBuffer State, IReadOnlyDictionary<string, NativeBuffer> Slots, IReadOnlyDictionary<string, long> Counters, JsonObject Facts)
    : IDisposable
{
    public void Dispose()
    {
        State.Dispose();
        foreach (var slot in Slots.Values) slot.Dispose();
    }
}

/// <summary>A checkpoint on disk, as its manifest and run.json describe it.</summary>
/// <param name="Bytes">Of the files in the manifest.</param>
/// <param name="TestAccuracy">0 to 1, if the caller's facts hold it.</param>
public sealed record CheckpointInfo(string Path, WeightsVersion Version, long AppliedSteps, string LayoutHash, long Bytes, double? TestAccuracy);

/// <summary>A folder that looks like a checkpoint and is not used.</summary>
/// <param name="Reason">One line.</param>
public sealed record PassedOver(string Path, string Reason);

/// <summary>What a look through the checkpoints found.</summary>
/// <param name="Newest">The newest whole one that fits; null when there is none.</param>
/// <param name="PassedOver">Newer than <paramref name="Newest"/>, newest first.</param>
public sealed record CheckpointSearch(CheckpointInfo? Newest, IReadOnlyList<PassedOver> PassedOver);
