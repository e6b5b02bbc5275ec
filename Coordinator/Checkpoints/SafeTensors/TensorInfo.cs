using System.Collections.Immutable;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>Element types that are read here, under their names in the format.</summary>
public enum TensorType { F32, F64, F16, BF16, I64, I32, I16, I8, U8, BOOL }

/// <summary>What the header says of one tensor.</summary>
/// <param name="Shape">Dimensions; empty for a scalar.</param>
/// <param name="Begin">First byte of its data, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
public sealed record TensorInfo(string Name, TensorType Type, ImmutableArray<long> Shape, long Begin, long End)
{
    /// <summary>Number of elements.</summary>
    public long Count => (End - Begin) / Type.Bytes();

    /// <summary>The shape as PyTorch prints it.</summary>
    public string ShapeText => TensorTypes.ShapeText(Shape);
}

/// <summary>A tensor that is to be written.</summary>
public sealed record TensorSpec(string Name, TensorType Type, ImmutableArray<long> Shape);

/// <summary>Sizes of the element types.</summary>
public static class TensorTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Bytes(this TensorType type) => type switch
    {
        TensorType.F64 or TensorType.I64 => 8,
        TensorType.F32 or TensorType.I32 => 4,
        TensorType.F16 or TensorType.BF16 or TensorType.I16 => 2,
        TensorType.I8 or TensorType.U8 or TensorType.BOOL => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
    };

    public static bool IsFloating(this TensorType type) => type is TensorType.F32 or TensorType.F64 or TensorType.F16 or TensorType.BF16;

    /// <summary>Bytes of a tensor, or -1 when they do not fit an int64 (left to right, as the reference multiplies).</summary>
    internal static long SizeOf(TensorType type, ReadOnlySpan<long> shape)
    {
        UInt128 product = 1;
        foreach (var dimension in shape)
        {
            product *= (ulong)dimension;
            if (product > long.MaxValue) return -1;
        }
        product *= (uint)type.Bytes();
        return product > long.MaxValue ? -1 : (long)product;
    }

    internal static string ShapeText<T>(IEnumerable<T> shape) => "[" + string.Join(", ", shape) + "]";
}
