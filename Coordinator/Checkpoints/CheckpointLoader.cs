using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>Reads a whole checkpoint into memory.</summary>
internal static class CheckpointLoader
{
    public static LoadedCheckpoint Load(string folder, ParameterLayout layout)
    {
        var (info, position) = CheckpointInspector.Inspect(folder, expected: null, contents: true);
        using var model = SafeTensorsReader.Open(Path.Combine(folder, CheckpointFormat.ModelName));
        using var optimizer = SafeTensorsReader.Open(Path.Combine(folder, CheckpointFormat.OptimizerName));
        var comparison = new StateComparison();
        comparison.CompareModel(model, layout, StateFileKind.Checkpoint);
        var slotNames = comparison.CompareOptimizer(optimizer, layout);
        if (comparison.AsException(folder) is { } mismatch) throw mismatch;
        if (info.LayoutHash != layout.Hash) throw CheckpointInspector.SameTensorsOtherLayout(folder);

        var owned = new List<NativeBuffer>();
        try
        {
            var state = Allocate(layout.StateFloats, owned);
            var counters = ReadModel(model, layout, state.Span);
            var slots = new Dictionary<string, NativeBuffer>(StringComparer.Ordinal);
            foreach (var slot in slotNames)
            {
                var buffer = slots[slot] = Allocate(StateSlots.LengthOf(slot, layout), owned);
                foreach (var entry in StateSlots.EntriesOf(slot, layout))
                    ReadFloats(optimizer, StateTensors.SlotName(entry.Name, slot), buffer.Span.Slice(entry.Offset, entry.Length));
            }
            return new LoadedCheckpoint(folder, info.Version, info.AppliedSteps, state, slots, counters, position.Facts);
        }
        catch
        {
            foreach (var buffer in owned) buffer.Dispose();
            throw;
        }
    }

    /// <summary>Copies every entry to its place in <paramref name="state"/> [StateFloats]; a counter that the file lacks reads as 0.</summary>
    public static Dictionary<string, long> ReadModel(SafeTensorsReader model, ParameterLayout layout, Span<float> state, bool allowRounding = false)
    {
        var counters = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var entry in layout.Entries)
        {
            if (entry.Kind == StateKind.Counter) counters[entry.Name] = ReadCounter(model, entry);
            else ReadFloats(model, entry.Name, state.Slice(entry.Offset, entry.Length), allowRounding);
        }
        return counters;
    }

    private static void ReadFloats(SafeTensorsReader file, string name, Span<float> destination, bool allowRounding = false)
    {
        if (!file.TryGet(name, out var tensor)) throw new SafeTensorsException(file.Path, $"tensor {Printable.Quoted(name)} is missing");
        file.Read(tensor!, destination, allowRounding);
    }

    private static long ReadCounter(SafeTensorsReader file, StateEntry entry)
    {
        if (!file.TryGet(entry.Name, out var tensor) || entry.Length == 0) return 0;
        var values = new long[entry.Length];
        file.Read(tensor!, values);
        return values[0];
    }

    private static NativeBuffer Allocate(int length, List<NativeBuffer> owned)
    {
        var buffer = NativeBuffer.Allocate(length);
        owned.Add(buffer);
        return buffer;
    }
}
