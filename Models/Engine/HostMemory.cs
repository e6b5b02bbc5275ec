using System.Runtime.InteropServices;
using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Engine;

/// <summary>Samples from spans into tensors and logits back. Tensors belong to the current dispose scope.</summary>
internal static class HostMemory
{
    /// <summary>A float32 tensor of <paramref name="shape"/> on <paramref name="device"/> with a copy of <paramref name="values"/>.</summary>
    public static Tensor Upload(ReadOnlySpan<float> values, ReadOnlySpan<long> shape, Device device)
    {
        if (device.type == DeviceType.CPU)
        {
            var host = empty(shape, dtype: ScalarType.Float32);
            MemoryMarshal.AsBytes(values).CopyTo(host.bytes);
            return host;
        }
        // Page-locked memory, which libtorch keeps and hands out again: the device reads it at full speed and nothing is copied a second time.
        using var staging = TensorMemory.AllocateStaging(shape, ScalarType.Float32);
        MemoryMarshal.AsBytes(values).CopyTo(staging.bytes);
        return staging.to(device);
    }

    /// <summary>Copies a float32 tensor's values, in the order of its indices, from whichever device it is on; waits for that device.</summary>
    public static void Download(Tensor tensor, Span<float> values) =>
        MemoryMarshal.Cast<byte, float>(tensor.detach().cpu().contiguous().bytes).CopyTo(values);

    /// <summary>
    /// The same [N, C, H, W] tensor with the channels of a pixel side by side in memory: torch.channels_last, made with
    /// operations that every binding has. https://pytorch.org/blog/tensor-memory-format-matters/
    /// </summary>
    public static Tensor ChannelsLast(Tensor images) => images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
}
