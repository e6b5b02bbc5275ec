namespace Cluster.Contracts;

/// <summary>Named vectors that the parameter server keeps beside the weights ("slots"): optimizer state by PyTorch's names, and the average of the weights.</summary>
public static class StateSlots
{
    /// <summary>The exponential moving average of all weights and buffers. The one slot that covers the whole state; the others cover the padded parameters.</summary>
    public const string Ema = "ema";

    /// <summary>Floats of the slot over the whole state.</summary>
    public static int LengthOf(string slot, ParameterLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return slot == Ema ? layout.StateFloats : layout.BufferOffset;
    }

    /// <summary>Floats of the slot in the range [offset, offset + length) of the state; 0 when it has none there.</summary>
    public static int LengthOf(string slot, ParameterLayout layout, int offset, int length) => Math.Clamp(LengthOf(slot, layout) - offset, 0, length);

    /// <summary>The entries that have a tensor in this slot, in the layout's order.</summary>
    public static IEnumerable<StateEntry> EntriesOf(string slot, ParameterLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return layout.Entries.Where(e => e.Kind == StateKind.Parameter || (slot == Ema && e.Kind == StateKind.Buffer));
    }
}
