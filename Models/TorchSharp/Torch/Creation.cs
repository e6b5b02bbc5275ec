using TorchSharp.Interop;

namespace TorchSharp;

// New tensors of a given size, on the CPU and of the default type unless told otherwise.
// https://pytorch.org/docs/stable/torch.html#creation-ops
public static partial class torch
{
    /// <summary>Memory as it is found: to be overwritten.</summary>
    public static Tensor empty(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeEmpty(size, dtype, device, requires_grad, names);
    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeEmpty(size, dtype, device, requires_grad, names);
    public static Tensor empty(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeEmpty([size], dtype, device, requires_grad, names);
    public static Tensor empty(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeEmpty([rows, columns], dtype, device, requires_grad, names);
    public static Tensor empty(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeEmpty([dim0, dim1, dim2], dtype, device, requires_grad, names);
    public static Tensor empty(long dim0, long dim1, long dim2, long dim3, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeEmpty([dim0, dim1, dim2, dim3], dtype, device, requires_grad, names);
    private static unsafe Tensor MakeEmpty(ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
    {
        RefuseNames(names);
        fixed (long* sizes = size)
            return Native.Wrap(NativeMethods.ct_empty(sizes, size.Length, NativeOptions.Of(dtype, device, requires_grad)));
    }

    /// <summary>All zero.</summary>
    public static Tensor zeros(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeZeros(size, dtype, device, requires_grad, names);
    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeZeros(size, dtype, device, requires_grad, names);
    public static Tensor zeros(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeZeros([size], dtype, device, requires_grad, names);
    public static Tensor zeros(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeZeros([rows, columns], dtype, device, requires_grad, names);
    public static Tensor zeros(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeZeros([dim0, dim1, dim2], dtype, device, requires_grad, names);
    public static Tensor zeros(long dim0, long dim1, long dim2, long dim3, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeZeros([dim0, dim1, dim2, dim3], dtype, device, requires_grad, names);
    private static unsafe Tensor MakeZeros(ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
    {
        RefuseNames(names);
        fixed (long* sizes = size)
            return Native.Wrap(NativeMethods.ct_zeros(sizes, size.Length, NativeOptions.Of(dtype, device, requires_grad)));
    }

    /// <summary>All one.</summary>
    public static Tensor ones(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeOnes(size, dtype, device, requires_grad, names);
    public static Tensor ones(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeOnes(size, dtype, device, requires_grad, names);
    public static Tensor ones(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeOnes([size], dtype, device, requires_grad, names);
    public static Tensor ones(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeOnes([rows, columns], dtype, device, requires_grad, names);
    public static Tensor ones(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeOnes([dim0, dim1, dim2], dtype, device, requires_grad, names);
    public static Tensor ones(long dim0, long dim1, long dim2, long dim3, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeOnes([dim0, dim1, dim2, dim3], dtype, device, requires_grad, names);
    private static unsafe Tensor MakeOnes(ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
    {
        RefuseNames(names);
        fixed (long* sizes = size)
            return Native.Wrap(NativeMethods.ct_ones(sizes, size.Length, NativeOptions.Of(dtype, device, requires_grad)));
    }

    /// <summary>All the same value.</summary>
    public static Tensor full(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeFull(size, value, dtype, device, requires_grad, names);
    public static Tensor full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) => MakeFull(size, value, dtype, device, requires_grad, names);
    public static Tensor full(long size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeFull([size], value, dtype, device, requires_grad, names);
    public static Tensor full(long rows, long columns, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeFull([rows, columns], value, dtype, device, requires_grad, names);
    public static Tensor full(long dim0, long dim1, long dim2, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeFull([dim0, dim1, dim2], value, dtype, device, requires_grad, names);
    public static Tensor full(long dim0, long dim1, long dim2, long dim3, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        MakeFull([dim0, dim1, dim2, dim3], value, dtype, device, requires_grad, names);
    private static unsafe Tensor MakeFull(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
    {
        RefuseNames(names);
        fixed (long* sizes = size)
            return Native.Wrap(NativeMethods.ct_full(sizes, size.Length, value.Value, NativeOptions.Of(dtype ?? value.Type switch { ScalarType.Float64 => get_default_dtype(), ScalarType.Int32 => ScalarType.Int64, var own => own }, device, requires_grad)));
    }

    /// <summary>Uniform in [0, 1).</summary>
    public static Tensor rand(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => MakeRand(size, dtype, device, requires_grad, generator, names);
    public static Tensor rand(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => MakeRand(size, dtype, device, requires_grad, generator, names);
    public static Tensor rand(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRand([size], dtype, device, requires_grad, generator, names);
    public static Tensor rand(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRand([rows, columns], dtype, device, requires_grad, generator, names);
    public static Tensor rand(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRand([dim0, dim1, dim2], dtype, device, requires_grad, generator, names);
    public static Tensor rand(long dim0, long dim1, long dim2, long dim3, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRand([dim0, dim1, dim2, dim3], dtype, device, requires_grad, generator, names);
    private static unsafe Tensor MakeRand(ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator, string[]? names)
    {
        RefuseNames(names);
        fixed (long* sizes = size)
            return Native.Wrap(NativeMethods.ct_rand(sizes, size.Length, Generator.HandleOf(generator), NativeOptions.Of(dtype, device, requires_grad)));
    }

    /// <summary>Standard normal.</summary>
    public static Tensor randn(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => MakeRandn(size, dtype, device, requires_grad, generator, names);
    public static Tensor randn(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) => MakeRandn(size, dtype, device, requires_grad, generator, names);
    public static Tensor randn(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRandn([size], dtype, device, requires_grad, generator, names);
    public static Tensor randn(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRandn([rows, columns], dtype, device, requires_grad, generator, names);
    public static Tensor randn(long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRandn([dim0, dim1, dim2], dtype, device, requires_grad, generator, names);
    public static Tensor randn(long dim0, long dim1, long dim2, long dim3, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null) =>
        MakeRandn([dim0, dim1, dim2, dim3], dtype, device, requires_grad, generator, names);
    private static unsafe Tensor MakeRandn(ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator, string[]? names)
    {
        RefuseNames(names);
        fixed (long* sizes = size)
            return Native.Wrap(NativeMethods.ct_randn(sizes, size.Length, Generator.HandleOf(generator), NativeOptions.Of(dtype, device, requires_grad)));
    }

    private static void RefuseNames(string[]? names)
    {
        if (names is not null) throw new NotSupportedException("named dimensions are not part of this binding: leave names out");
    }
}
