namespace TorchSharp.Interop;

// Over our own tensors. Its counterpart over TorchSharp's: OverTorchSharp/Native.cs.
internal static partial class Native
{
    public static long LiveTensors => TensorHandle.Live;

    private static torch.Tensor TensorOf(TensorHandle handle) => new(handle);
}
