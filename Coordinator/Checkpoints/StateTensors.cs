using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>How a state maps to the tensors of a safetensors file.</summary>
internal static class StateTensors
{
    /// <summary>What PyTorch's loaders expect to find.</summary>
    private static readonly Dictionary<string, string> PyTorch = new() { ["format"] = "pt" };

    /// <summary>
    /// The entries in the order of PyTorch's state_dict: module by module, each with its parameters, buffers and counters.
    /// Modules follow each other by their first entry in the layout, which lists the parameters of all modules first.
    /// </summary>
    public static IEnumerable<StateEntry> InStateDictOrder(ParameterLayout layout) =>
        layout.Entries.GroupBy(static e => e.Name[..Math.Max(0, e.Name.LastIndexOf('.'))], StringComparer.Ordinal).SelectMany(static module => module);

    public static string SlotName(string parameter, string slot) => parameter + "." + slot;

    public static void WriteModel(ByteSink sink, ParameterLayout layout, StatePieces state, Func<StateEntry, long> counter)
    {
        TensorSpec Spec(StateEntry entry) => new(entry.Name, entry.Kind == StateKind.Counter ? TensorType.I64 : TensorType.F32, [.. entry.Shape.Select(static d => (long)d)]);
        var writer = new SafeTensorsWriter(sink, [.. InStateDictOrder(layout).Select(Spec)], PyTorch);
        foreach (var tensor in writer.InDataOrder)
        {
            var entry = layout[tensor.Name];
            if (entry.Kind == StateKind.Counter)
            {
                for (var i = 0; i < entry.Length; i++) writer.Append(entry.Name, [counter(entry)]);
                continue;
            }
            foreach (var run in state.Range(entry.Offset, entry.Length)) writer.Append(entry.Name, run);
        }
        writer.Complete();
    }

    public static void WriteOptimizer(ByteSink sink, ParameterLayout layout, IReadOnlyDictionary<string, StatePieces> slots)
    {
        var tensors = slots.Keys.Order(StringComparer.Ordinal)
            .SelectMany(slot => StateSlots.EntriesOf(slot, layout).Select(entry => (Slot: slot, Entry: entry)))
            .ToDictionary(static t => SlotName(t.Entry.Name, t.Slot), StringComparer.Ordinal);
        var specs = tensors.Select(static t => new TensorSpec(t.Key, TensorType.F32, [.. t.Value.Entry.Shape.Select(static d => (long)d)]));
        var writer = new SafeTensorsWriter(sink, [.. specs], PyTorch);
        foreach (var tensor in writer.InDataOrder)
        {
            var (slot, entry) = tensors[tensor.Name];
            foreach (var run in slots[slot].Range(entry.Offset, entry.Length)) writer.Append(tensor.Name, run);
        }
        writer.Complete();
    }

    /// <exception cref="NonFiniteStateException">A NaN or an infinity in a parameter, a buffer or a slot.</exception>
    public static void ThrowIfNotFinite(CheckpointContent content)
    {
        foreach (var entry in content.Layout.Entries)
            if (entry.Kind != StateKind.Counter) ThrowIfNotFinite(content.Weights, entry, entry.Name, content.Version);
        foreach (var (slot, pieces) in content.Slots)
            foreach (var entry in StateSlots.EntriesOf(slot, content.Layout)) ThrowIfNotFinite(pieces, entry, SlotName(entry.Name, slot), content.Version);
    }

    private static void ThrowIfNotFinite(StatePieces pieces, StateEntry entry, string name, WeightsVersion version)
    {
        var before = 0;
        foreach (var run in pieces.Range(entry.Offset, entry.Length))
        {
            var bad = FiniteCheck.FirstBad(run);
            if (bad >= 0) throw new NonFiniteStateException(name, before + bad, run[bad], version);
            before += run.Length;
        }
    }
}
