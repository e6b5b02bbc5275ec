using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cluster.Coordinator.Core;

/// <summary>Looks for NaN and infinities.</summary>
public static class FiniteCheck
{
    private const int ExponentMask = 0x7F80_0000, Block = 1024;

    /// <summary>True if every element is finite.</summary>
    public static bool All(ReadOnlySpan<float> values) => FirstBad(values) < 0;

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    public static int FirstBad(ReadOnlySpan<float> values)
    {
        for (var start = 0; start < values.Length; start += Block)
        {
            var block = values.Slice(start, Math.Min(Block, values.Length - start));
            if (!MayBeBad(MemoryMarshal.Cast<float, int>(block))) continue;
            for (var i = 0; i < block.Length; i++)
                if (!float.IsFinite(block[i])) return start + i;
        }
        return -1;
    }

    /// <summary>True if an exponent in the block is all ones (exact for whole vectors; the tail is left to the caller's loop).</summary>
    private static bool MayBeBad(ReadOnlySpan<int> bits)
    {
        var mask = Vector512.Create(ExponentMask);
        var found = Vector512<int>.Zero;
        var i = 0;
        for (; i + Vector512<int>.Count <= bits.Length; i += Vector512<int>.Count)
            found |= Vector512.Equals(Vector512.Create(bits.Slice(i, Vector512<int>.Count)) & mask, mask);
        return i < bits.Length || found != Vector512<int>.Zero;
    }
}
