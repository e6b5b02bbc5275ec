using System.Runtime.InteropServices;
using Cluster.Torch;

namespace TorchSharp.Interop;

/// <summary>A number with its kind, as the shim takes it. 0 = float64, 1 = int64, 2 = bool.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct ScalarValue(long kind, double real, long integer)
{
    public readonly long Kind = kind;
    public readonly double Real = real;
    public readonly long Integer = integer;

    public double AsDouble => Kind == 0 ? Real : Integer;
    public long AsInt64 => Kind == 0 ? (long)Real : Integer;
    public bool AsBoolean => Kind == 0 ? Real != 0 : Integer != 0;
}

/// <summary>Where and as what a new tensor is made.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct NativeOptions(torch.ScalarType dtype, torch.Device? device, bool requiresGrad)
{
    public readonly int Dtype = (int)dtype;
    public readonly int DeviceType = (int)(device?.type ?? TorchSharp.DeviceType.CPU);
    public readonly int DeviceIndex = device?.index ?? -1;
    public readonly int RequiresGrad = requiresGrad ? 1 : 0;

    public static NativeOptions Of(torch.ScalarType? dtype, torch.Device? device, bool requiresGrad) =>
        new(dtype ?? torch.get_default_dtype(), device, requiresGrad);
}

/// <summary>Turns what the shim hands back into objects and exceptions.</summary>
internal static partial class Native
{
    /// <exception cref="TorchException">Always: with libtorch's message.</exception>
    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    public static void Throw()
    {
        var message = Marshal.PtrToStringUTF8(NativeMethods.ct_last_error());
        throw new TorchException(message ?? "libtorch failed without a message");
    }

    public static torch.Tensor Wrap(TensorHandle handle)
    {
        if (handle.IsInvalid) Throw();
        return TensorOf(handle);
    }

    public static torch.Tensor? WrapOrNull(TensorHandle handle)
    {
        if (!handle.IsInvalid) return TensorOf(handle);
        var message = Marshal.PtrToStringUTF8(NativeMethods.ct_last_error());
        return message is null ? null : throw new TorchException(message);
    }

    public static (torch.Tensor, torch.Tensor) WrapPair(TensorHandle first, nint second)
    {
        if (first.IsInvalid) Throw();
        return (TensorOf(first), TensorOf(new TensorHandle(second)));
    }

    public static void Check(int status)
    {
        if (status < 0) Throw();
    }

    /// <summary>A second reference to the same libtorch tensor; it outlives the first.</summary>
    public static TensorHandle Share(torch.Tensor tensor)
    {
        var handle = NativeMethods.ct_alias(tensor.Owned);
        if (handle.IsInvalid) Throw();
        return handle;
    }

    /// <summary>The handles of several tensors for one call. The caller keeps the tensors alive until it returns.</summary>
    public static nint[] Handles(IEnumerable<torch.Tensor> tensors) => [.. tensors.Select(tensor => tensor.Handle)];
}
