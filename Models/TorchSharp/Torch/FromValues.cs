using TorchSharp.Interop;
using TorchSharp.Utils;

namespace TorchSharp;

// New tensors from values in managed memory, always copied. https://pytorch.org/docs/stable/generated/torch.tensor.html
public static partial class torch
{
    public static Tensor tensor(bool scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        FromValues([scalar], [], dtype, device, requires_grad);
    public static Tensor tensor(bool[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<bool>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);
    public static Tensor tensor(bool[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<bool>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(byte scalar, Device? device = null, bool requires_grad = false) =>
        FromValues([scalar], [], null, device, requires_grad);
    public static Tensor tensor(byte[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<byte>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);
    public static Tensor tensor(byte[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<byte>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(short scalar, Device? device = null, bool requires_grad = false) =>
        FromValues([scalar], [], null, device, requires_grad);
    public static Tensor tensor(short[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<short>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);
    public static Tensor tensor(short[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<short>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(int scalar, Device? device = null, bool requires_grad = false) =>
        FromValues([scalar], [], null, device, requires_grad);
    public static Tensor tensor(int[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<int>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);
    public static Tensor tensor(int[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<int>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(long scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        FromValues([scalar], [], dtype, device, requires_grad);
    public static Tensor tensor(long[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<long>(dataArray, [dataArray.LongLength], dtype, device, requires_grad, names);
    public static Tensor tensor(long[] dataArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<long>(dataArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(float scalar, Device? device = null, bool requires_grad = false) =>
        FromValues([scalar], [], null, device, requires_grad);
    public static Tensor tensor(float[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<float>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);
    public static Tensor tensor(float[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<float>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(double scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        FromValues([scalar], [], dtype, device, requires_grad);
    public static Tensor tensor(double[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<double>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);
    public static Tensor tensor(double[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        FromValues<double>(rawArray, dimensions, dtype, device, requires_grad, names);

    /// <summary>A tensor of the array's own rank and, unless told otherwise, element type.</summary>
    /// <param name="rawArray">An array of any rank, of a C# type that is an element type.</param>
    public static Tensor from_array(Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        ArgumentNullException.ThrowIfNull(rawArray);
        var shape = new long[rawArray.Rank];
        for (var d = 0; d < shape.Length; d++) shape[d] = rawArray.GetLongLength(d);
        return rawArray.GetType().GetElementType() switch
        {
            var t when t == typeof(float) => FromValues(Flat<float>(rawArray), shape, dtype, device, requires_grad, names),
            var t when t == typeof(double) => FromValues(Flat<double>(rawArray), shape, dtype, device, requires_grad, names),
            var t when t == typeof(long) => FromValues(Flat<long>(rawArray), shape, dtype, device, requires_grad, names),
            var t when t == typeof(int) => FromValues(Flat<int>(rawArray), shape, dtype, device, requires_grad, names),
            var t when t == typeof(short) => FromValues(Flat<short>(rawArray), shape, dtype, device, requires_grad, names),
            var t when t == typeof(byte) => FromValues(Flat<byte>(rawArray), shape, dtype, device, requires_grad, names),
            var t when t == typeof(bool) => FromValues(Flat<bool>(rawArray), shape, dtype, device, requires_grad, names),
            var t => throw new ArgumentException($"an array of {t?.Name} cannot become a tensor", nameof(rawArray)),
        };
    }

    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    private static ReadOnlySpan<T> Flat<T>(Array array) where T : unmanaged =>
        array.Length == 0 ? [] : System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(
            ref System.Runtime.CompilerServices.Unsafe.As<byte, T>(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(array)), array.Length);

    private static unsafe Tensor FromValues<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape, ScalarType? dtype, Device? device, bool requiresGrad, string[]? names = null)
        where T : unmanaged
    {
        RefuseNames(names);
        var own = ElementTypes.Of<T>();
        fixed (T* data = values)
        fixed (long* sizes = shape)
        {
            var options = new NativeOptions(dtype ?? own, device, requiresGrad);
            return Native.Wrap(NativeMethods.ct_from_memory(data, (long)values.Length * sizeof(T), (int)own, sizes, shape.Length, options));
        }
    }
}
