using MessagePack;

namespace Cluster.Contracts;

/// <summary>Coordinator to one worker: make the seeded first weights. The server holds no model, so it cannot.</summary>
[MessagePackObject]
public sealed record InitializeState([property: Key(0)] Term Term, [property: Key(1)] ulong Seed);

/// <summary>Worker to coordinator: the seeded first weights [StateFloats], by reference; the receiver disposes.</summary>
public sealed record InitialState(Term Term, WorkerId Worker, NativeBuffer Buffer);

/// <summary>Coordinator to shard: hold your range of this state as <paramref name="Version"/> and publish it. By reference; the receiver disposes.</summary>
/// <param name="State">[StateFloats] weights and buffers.</param>
/// <param name="Slots">Optimizer state by name, each of <see cref="StateSlots.LengthOf(string, ParameterLayout)"/>; empty before the first step.</param>
/// <param name="AppliedSteps">Steps that were applied (not skipped) up to this version.</param>
public sealed record LoadShard(
    Term Term, WeightsVersion Version, NativeBuffer State, IReadOnlyDictionary<string, NativeBuffer> Slots, long AppliedSteps, TraceContext Trace) : IReplicaInput
{
    private static readonly Dictionary<string, NativeBuffer> NoSlots = [];

    /// <summary>First float of the state vector that the buffers hold; null = they hold all of it.</summary>
    public int? Offset { get; init; }

    /// <summary>The seeded first weights.</summary>
    public static LoadShard First(Term term, NativeBuffer state, TraceContext trace) => new(term, WeightsVersion.Initial, state, NoSlots, 0, trace);

    /// <summary>One more copy of this message, with references of its own.</summary>
    public LoadShard Share() => this with { State = State.Share(), Slots = Slots.ToDictionary(s => s.Key, s => s.Value.Share(), StringComparer.Ordinal) };

    /// <summary>Releases what this copy holds.</summary>
    public void Release()
    {
        State.Dispose();
        foreach (var slot in Slots.Values) slot.Dispose();
    }
}

/// <summary>Coordinator to worker: evaluate these batches of the test set with the weights of this version.</summary>
/// <param name="Batches">Indices of batches of a size that is fixed per run, so that the sums do not depend on who computes them.</param>
/// <param name="OfAverage">With the average of the weights up to this version.</param>
[MessagePackObject]
public sealed record EvaluateBatches(
    [property: Key(0)] Term Term,
    [property: Key(1)] WeightsVersion Version,
    [property: Key(2)] IReadOnlyList<int> Batches,
    [property: Key(3)] TraceContext Trace,
    [property: Key(4)] bool OfAverage = false) : IWorkerInput;

/// <summary>Worker to coordinator: one batch's sums.</summary>
/// <param name="Samples">Those that were decoded.</param>
/// <param name="Predictions">The class of the largest logit per sample of the batch, in sample order; -1 for one that could not be decoded.</param>
/// <param name="Undecoded">Those, with reasons; at most <see cref="Limits.ReportedUndecoded"/> of them. Null = none.</param>
[MessagePackObject]
public sealed record BatchEvaluated(
    [property: Key(0)] Term Term,
    [property: Key(1)] WeightsVersion Version,
    [property: Key(2)] int Batch,
    [property: Key(3)] WorkerId Worker,
    [property: Key(4)] int Samples,
    [property: Key(5)] double LossSum,
    [property: Key(6)] int CorrectCount,
    [property: Key(7)] int Top5Count,
    [property: Key(8)] IReadOnlyList<int> Predictions,
    [property: Key(9)] IReadOnlyList<UndecodedSample>? Undecoded = null);

/// <summary>To a shard: hand your range of this version to whoever asks. The weights by reference, optimizer state as a copy.</summary>
[MessagePackObject]
public sealed record SnapshotShard([property: Key(0)] Term Term, [property: Key(1)] WeightsVersion Version) : IReplicaInput;

/// <summary>Shard to whoever asked: weights and optimizer slots of its range, safe to read while training goes on; the receiver disposes the buffers.</summary>
/// <param name="Offset">First float in the state vector.</param>
/// <param name="AppliedSteps">Steps that were applied (not skipped) up to this version: what counters have grown by.</param>
/// <param name="Slots">Optimizer state by name, e.g. <c>momentum_buffer</c>; each covers what <see cref="StateSlots"/> says of the range, and a range without any of it has none.</param>
public sealed record ShardSnapshot(
    Term Term, WeightsVersion Version, ShardId Shard, int Offset, long AppliedSteps, NativeBuffer Weights, IReadOnlyDictionary<string, NativeBuffer> Slots);

/// <summary>Worker to coordinator: the engine is built; leaves are welcome.</summary>
/// <param name="Devices">It computes so many leaves at once.</param>
[MessagePackObject]
public sealed record WorkerReady([property: Key(0)] WorkerId Worker, [property: Key(1)] int Devices = 1);

/// <summary>Worker to coordinator: this worker cannot go on.</summary>
[MessagePackObject]
public sealed record WorkerFailed([property: Key(0)] WorkerId Worker, [property: Key(1)] string Cause, [property: Key(2)] bool IsUserMistake);

/// <summary>Host to coordinator: finish the step that is open, then stop.</summary>
[MessagePackObject]
public sealed record StopRun([property: Key(0)] string Reason);
