using Cluster.Contracts;

namespace Cluster.Remoting;

/// <summary>A stretch of a tensor that travels.</summary>
public readonly record struct TensorSlice(NativeBuffer Buffer, int First, int Length);

/// <summary>How a shard's range lies in the state vector.</summary>
/// <param name="SlotFloats">Floats of its optimizer slots: its padded parameters. The average of the weights covers the whole range.</param>
public readonly record struct RangeOnWire(int Offset, int Length, int SlotFloats);

/// <summary>
/// Bulk messages as a head and tensors, and back. What is sent to a shard is cut to its range. A message that arrives
/// owns its buffers, as it does in-process.
/// </summary>
public static class TensorMessage
{
    /// <returns>Null when the message carries no tensor.</returns>
    public static (object Head, IReadOnlyList<TensorSlice> Tensors)? Split(object message, Func<int, RangeOnWire> rangeOf, int target)
    {
        ArgumentNullException.ThrowIfNull(rangeOf);
        switch (message)
        {
            case GradientNode m:
                var range = rangeOf(target);
                return (new GradientNodeHead(m.Term, m.Step, m.Attempt, m.Node, m.LeafCount, m.Worker, range.Offset, m.Trace, m.EmptyLeaves), [new TensorSlice(m.Buffer, range.Offset - m.Offset, range.Length)]);
            case WeightsPart m:
                return (new WeightsPartHead(m.Term, m.Version, m.Shard, m.Offset, m.Trace, m.IsAverage), [Whole(m.Buffer)]);
            case StandbySum m:
                return (new StandbySumHead(m.Term, m.Shard, m.Sum), [Whole(m.Buffer)]);
            case SeedStandby m:
                var names = Names(m.Slots);
                return (new SeedStandbyHead(m.Term, m.Shard, m.Version, m.AppliedSteps, m.Records, m.Previous is not null, names),
                    [Whole(m.Weights), .. m.Previous is { } previous ? [Whole(previous)] : Array.Empty<TensorSlice>(), .. names.Select(n => Whole(m.Slots[n]))]);
            case LoadShard m:
                var part = rangeOf(target);
                var first = part.Offset - (m.Offset ?? 0);
                int FloatsOf(string slot) => slot == StateSlots.Ema ? part.Length : part.SlotFloats;
                names = [.. Names(m.Slots).Where(n => FloatsOf(n) > 0)];
                return (new LoadShardHead(m.Term, m.Version, names, m.AppliedSteps, part.Offset, m.Trace),
                    [new TensorSlice(m.State, first, part.Length), .. names.Select(n => new TensorSlice(m.Slots[n], first, FloatsOf(n)))]);
            case InitialState m:
                return (new InitialStateHead(m.Term, m.Worker), [Whole(m.Buffer)]);
            case ShardSnapshot m:
                names = Names(m.Slots);
                return (new ShardSnapshotHead(m.Term, m.Version, m.Shard, m.Offset, m.AppliedSteps, names), [Whole(m.Weights), .. names.Select(n => Whole(m.Slots[n]))]);
            default:
                return null;
        }
    }

    /// <summary>Puts an arrived message together; it owns the buffers.</summary>
    /// <exception cref="ClusterException">The head announces other tensors; they remain the caller's.</exception>
    public static object Join(object head, IReadOnlyList<NativeBuffer> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return head switch
        {
            GradientNodeHead h when tensors.Count == 1 => new GradientNode(h.Term, h.Step, h.Attempt, h.Node, h.LeafCount, h.Worker, h.Offset, tensors[0], h.Trace) { EmptyLeaves = h.EmptyLeaves },
            WeightsPartHead h when tensors.Count == 1 => new WeightsPart(h.Term, h.Version, h.Shard, h.Offset, tensors[0], h.Trace, h.IsAverage),
            StandbySumHead h when tensors.Count == 1 => new StandbySum(h.Term, h.Shard, h.Sum, tensors[0]),
            SeedStandbyHead { Slots: not null } h when tensors.Count == 1 + (h.HasPrevious ? 1 : 0) + h.Slots.Count =>
                new SeedStandby(h.Term, h.Shard, h.Version, h.AppliedSteps, h.Records, tensors[0], h.HasPrevious ? tensors[1] : null, Slots(h.Slots, tensors, h.HasPrevious ? 2 : 1)),
            LoadShardHead { Slots: not null } h when tensors.Count == 1 + h.Slots.Count =>
                new LoadShard(h.Term, h.Version, tensors[0], Slots(h.Slots, tensors, 1), h.AppliedSteps, h.Trace) { Offset = h.Offset },
            InitialStateHead h when tensors.Count == 1 => new InitialState(h.Term, h.Worker, tensors[0]),
            ShardSnapshotHead { Slots: not null } h when tensors.Count == 1 + h.Slots.Count => new ShardSnapshot(h.Term, h.Version, h.Shard, h.Offset, h.AppliedSteps, tensors[0], Slots(h.Slots, tensors, 1)),
            // A message without tensors that is too long for a control frame.
            { } message when tensors.Count == 0 && !WireTypes.IsHead(WireTypes.NumberOf(message.GetType())) => message,
            _ => throw new ClusterException($"{tensors.Count} tensors do not make a message of {head?.GetType().Name}"),
        };
    }

    /// <summary>Releases what a message holds: it has been sent, or will not be.</summary>
    public static void Release(object message)
    {
        switch (message)
        {
            case GradientNode m: m.Buffer.Dispose(); break;
            case WeightsPart m: m.Buffer.Dispose(); break;
            case StandbySum m: m.Buffer.Dispose(); break;
            case SeedStandby m: m.Release(); break;
            case LoadShard m: m.Release(); break;
            case InitialState m: m.Buffer.Dispose(); break;
            case ShardSnapshot m:
                m.Weights.Dispose();
                foreach (var slot in m.Slots.Values) slot.Dispose();
                break;
        }
    }

    private static TensorSlice Whole(NativeBuffer buffer) => new(buffer, 0, buffer.Length);

    private static string[] Names(IReadOnlyDictionary<string, NativeBuffer> slots) => [.. slots.Keys.Order(StringComparer.Ordinal)];

    private static Dictionary<string, NativeBuffer> Slots(IReadOnlyList<string> names, IReadOnlyList<NativeBuffer> tensors, int first) =>
        names.Distinct(StringComparer.Ordinal).Count() == names.Count
            ? names.Select((name, i) => (name, tensors[first + i])).ToDictionary(static s => s.name, static s => s.Item2, StringComparer.Ordinal)
            : throw new ClusterException("two slots of one name");
}
