namespace TorchSharp.Interop;

// Over TorchSharp's own tensors: their handle is an at::Tensor*, as the shim's is, so one goes where the other does.
// Its counterpart over our binding: Interop/Native.Binding.cs.
internal static partial class Native
{
    public static long LiveTensors => torch.Tensor.TotalCount;

    private static torch.Tensor TensorOf(TensorHandle handle)
    {
        var tensor = torch.Tensor.UnsafeCreateTensor(handle.DangerousGetHandle());
        handle.SetHandleAsInvalid(); // the tensor frees it now
        return tensor;
    }
}

internal sealed partial class TensorHandle
{
    // Keeps the finalizer away as long as this is used; whoever disposes the tensor ends it all the same.
    private readonly torch.Tensor? _owner;

    private TensorHandle(torch.Tensor owner) : base(0, ownsHandle: false)
    {
        _owner = owner;
        SetHandle(owner.Handle);
    }

    /// <summary>The tensor's own reference, for one call: it stays the tensor's to free.</summary>
    /// <exception cref="InvalidOperationException">The tensor was disposed.</exception>
    public static TensorHandle Borrow(torch.Tensor tensor) => new(tensor);
}

internal static class BorrowedHandles
{
    extension(torch.Tensor tensor)
    {
        internal TensorHandle Owned => TensorHandle.Borrow(tensor);
    }
}
