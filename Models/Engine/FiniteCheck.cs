using System.Numerics;
using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Engine;

/// <summary>Looks for NaN and infinities in a state vector: one vectorised pass at memory speed, names only when needed.</summary>
internal static class FiniteCheck
{
    /// <summary>Name of the first entry in the vector's order with a value that is not finite; null when there is none.</summary>
    public static string? FirstBad(ParameterLayout layout, ReadOnlySpan<float> state)
    {
        if (AllFinite(state)) return null;
        foreach (var entry in layout.Entries)
        {
            if (entry.Kind != StateKind.Counter && !AllFinite(state.Slice(entry.Offset, entry.Length))) return entry.Name;
        }
        throw new ClusterException("the padding between parameters and buffers holds a value that is not finite: the engine must write zeros there");
    }

    /// <summary>x · 0 is ±0 for finite x and NaN otherwise, and a NaN survives every addition: one multiply-add per value and no branch.</summary>
    public static bool AllFinite(ReadOnlySpan<float> values)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        Vector<float> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i + 4 <= vectors.Length; i += 4)
        {
            // Four sums, so that the next addition does not wait for the last.
            a += vectors[i] * Vector<float>.Zero;
            b += vectors[i + 1] * Vector<float>.Zero;
            c += vectors[i + 2] * Vector<float>.Zero;
            d += vectors[i + 3] * Vector<float>.Zero;
        }
        for (; i < vectors.Length; i++) a += vectors[i] * Vector<float>.Zero;
        var rest = 0f;
        foreach (var value in values[(vectors.Length * Vector<float>.Count)..]) rest += value * 0f;
        return Vector.EqualsAll(a + b + c + d, Vector<float>.Zero) && rest == 0f;
    }
}
