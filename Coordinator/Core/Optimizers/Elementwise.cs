using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cluster.Coordinator.Core;

/// <summary>The passes beside the rule's: means of buffers, the average of the weights, a row's factor, the largest magnitude. The same bits for every vector width.</summary>
internal static unsafe class Elementwise
{
    private interface IMap
    {
        TVector Of<TLanes, TVector>(TVector source, TVector target)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct;
    }

    /// <summary>target[i] = summed[i] / divisor.</summary>
    public static void Mean(float* summed, float* target, nint length, float divisor, VectorWidth width) => Map(summed, target, length, new Quotient(divisor), width);

    /// <summary>average[i] = decay·average[i] + share·values[i].</summary>
    public static void Average(float* values, float* average, nint length, float decay, float share, VectorWidth width) => Map(values, average, length, new Blend(decay, share), width);

    /// <summary>values[i] *= factor.</summary>
    public static void Scale(float* values, nint length, float factor, VectorWidth width) => Map(values, values, length, new Product(factor), width);

    /// <summary>The largest |values[i]|; 0 when there is none. Exact, so in whatever order.</summary>
    public static float LargestMagnitude(float* values, nint length, VectorWidth width)
    {
        nint done = 0;
        var largest = width switch
        {
            VectorWidth.Bits512 => LargestMagnitude<Lanes512, Vector512<float>>(values, length, ref done),
            VectorWidth.Bits256 => LargestMagnitude<Lanes256, Vector256<float>>(values, length, ref done),
            VectorWidth.Bits128 => LargestMagnitude<Lanes128, Vector128<float>>(values, length, ref done),
            _ => 0,
        };
        return Math.Max(largest, LargestMagnitude<LanesScalar, float>(values, length, ref done));
    }

    private static float LargestMagnitude<TLanes, TVector>(float* values, nint length, ref nint from)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var largest = TLanes.Of(0);
        var i = from;
        for (; i + TLanes.Count <= length; i += TLanes.Count) largest = TLanes.Max(largest, TLanes.Abs(TLanes.Load(values + i)));
        from = i;
        return TLanes.Largest(largest);
    }

    private static void Map<TMap>(float* source, float* target, nint length, TMap map, VectorWidth width)
        where TMap : struct, IMap
    {
        var done = width switch
        {
            VectorWidth.Bits512 => Map<TMap, Lanes512, Vector512<float>>(source, target, 0, length, map),
            VectorWidth.Bits256 => Map<TMap, Lanes256, Vector256<float>>(source, target, 0, length, map),
            VectorWidth.Bits128 => Map<TMap, Lanes128, Vector128<float>>(source, target, 0, length, map),
            _ => 0,
        };
        Map<TMap, LanesScalar, float>(source, target, done, length, map);
    }

    private static nint Map<TMap, TLanes, TVector>(float* source, float* target, nint from, nint length, TMap map)
        where TMap : struct, IMap
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var i = from;
        for (; i + TLanes.Count <= length; i += TLanes.Count)
            TLanes.Store(map.Of<TLanes, TVector>(TLanes.Load(source + i), TLanes.Load(target + i)), target + i);
        return i;
    }

    private readonly record struct Quotient(float Divisor) : IMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Of<TLanes, TVector>(TVector source, TVector target)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct => TLanes.Divide(source, TLanes.Of(Divisor));
    }

    private readonly record struct Product(float Factor) : IMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Of<TLanes, TVector>(TVector source, TVector target)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct => TLanes.Multiply(source, TLanes.Of(Factor));
    }

    private readonly record struct Blend(float Decay, float Share) : IMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Of<TLanes, TVector>(TVector source, TVector target)
            where TLanes : struct, ILanes<TVector>
            where TVector : struct => TLanes.Add(TLanes.Multiply(TLanes.Of(Decay), target), TLanes.Multiply(TLanes.Of(Share), source));
    }
}
