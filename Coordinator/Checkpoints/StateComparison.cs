using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>How strict a file's tensors are held against the layout.</summary>
internal enum StateFileKind
{
    /// <summary>Written by us: F32 and I64, everything there.</summary>
    Checkpoint,

    /// <summary>From elsewhere: any floating-point type, any whole numbers, counters may be absent.</summary>
    Import,
}

/// <summary>Collects every difference between the tensors of files and a layout.</summary>
internal sealed class StateComparison
{
    private readonly List<string> _missing = [], _unexpected = [], _misShaped = [];

    public void CompareModel(SafeTensorsReader file, ParameterLayout layout, StateFileKind kind)
    {
        foreach (var entry in layout.Entries)
        {
            if (file.TryGet(entry.Name, out var tensor)) CompareTensor(tensor!, entry, kind);
            else if (kind == StateFileKind.Checkpoint || entry.Kind != StateKind.Counter) _missing.Add(entry.Name);
        }
        foreach (var tensor in file.Tensors)
            if (!layout.TryGet(tensor.Name, out _)) _unexpected.Add(Printable.OneLine(tensor.Name));
    }

    /// <returns>Names of the slots in the file, in ordinal order.</returns>
    public IReadOnlyList<string> CompareOptimizer(SafeTensorsReader file, ParameterLayout layout)
    {
        var slots = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var tensor in file.Tensors)
        {
            var dot = tensor.Name.LastIndexOf('.');
            var slot = tensor.Name[(dot + 1)..];
            if (dot > 0 && CheckpointFormat.IsSlotName(slot) && layout.TryGet(tensor.Name[..dot], out var entry) && (entry!.Kind == StateKind.Parameter || (entry.Kind == StateKind.Buffer && slot == StateSlots.Ema)))
            {
                slots.Add(slot);
                CompareTensor(tensor, entry, StateFileKind.Checkpoint);
            }
            else
            {
                _unexpected.Add(Printable.OneLine(tensor.Name));
            }
        }
        foreach (var slot in slots)
            _missing.AddRange(StateSlots.EntriesOf(slot, layout).Select(e => StateTensors.SlotName(e.Name, slot)).Where(name => !file.TryGet(name, out _)));
        return [.. slots];
    }

    /// <summary>Null when there is no difference.</summary>
    public StateMismatchException? AsException(string path) =>
        _missing.Count + _unexpected.Count + _misShaped.Count == 0 ? null : new StateMismatchException(path, _missing, _unexpected, _misShaped);

    private void CompareTensor(TensorInfo tensor, StateEntry entry, StateFileKind kind)
    {
        var isCounter = entry.Kind == StateKind.Counter;
        var typeFits = (kind, isCounter) switch
        {
            (StateFileKind.Checkpoint, true) => tensor.Type == TensorType.I64,
            (StateFileKind.Checkpoint, false) => tensor.Type == TensorType.F32,
            (_, true) => !tensor.Type.IsFloating() && tensor.Type != TensorType.BOOL,
            (_, false) => tensor.Type.IsFloating(),
        };
        if (!typeFits) _misShaped.Add($"{Printable.OneLine(tensor.Name)} (file {tensor.Type}, model {(isCounter ? TensorType.I64 : TensorType.F32)})");
        else if (!tensor.Shape.SequenceEqual(entry.Shape.Select(static d => (long)d)))
            _misShaped.Add($"{Printable.OneLine(tensor.Name)} (file {tensor.ShapeText}, model {TensorTypes.ShapeText(entry.Shape)})");
    }
}
