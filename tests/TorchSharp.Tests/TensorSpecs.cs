using System.Runtime.InteropServices;
using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

/// <summary>Life, memory, errors.</summary>
public sealed class TensorSpecs
{
    [Fact]
    public void A_refused_call_carries_libtorchs_message_in_its_first_line()
    {
        using var scope = NewDisposeScope();
        var error = Assert.ThrowsAny<ExternalException>(() => zeros(2, 3).mm(zeros(2, 3)));
        Assert.StartsWith("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", error.Message.Split('\n')[0], StringComparison.Ordinal);
        if (!Binding.IsTorchSharps) Assert.IsType<TorchException>(error);
        Assert.Contains("invalid for input of size 6", Binding.Refusal(() => zeros(6).view(4)).Message, StringComparison.Ordinal);
        Assert.Contains("does not require grad", Binding.Refusal(() => ones(1).backward()).Message, StringComparison.Ordinal);
        Assert.Equal(3, ones(3).sum().item<float>()); // an error leaves nothing behind
    }

    [Fact]
    public void Every_use_after_Dispose_throws()
    {
        var tensor = zeros(2);
        tensor.Dispose();
        tensor.Dispose();
        Assert.True(tensor.IsInvalid);
        Binding.Disposed(() => tensor.shape);
        Binding.Disposed(() => tensor.add(1));
        Binding.Disposed(() => tensor.requires_grad);
        using var other = zeros(2);
        Binding.Disposed(() => other.add(tensor));
        Binding.Disposed(() => tensor.Handle);
        Binding.NeedsOurs("it describes no tensor that is gone");
        Assert.Equal("[disposed]", tensor.ToString());
    }

    [Fact]
    public void Types_are_checked_where_C_sharp_cannot()
    {
        using var tensor = torch.tensor(1.5f);
        Assert.Equal(1.5f, tensor.item<float>());
        Assert.Contains("Float32", Assert.Throws<ArgumentException>(() => tensor.item<double>()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => tensor.data<long>());
        Assert.Equal(1.5, tensor.ToDouble());
        Assert.Equal(1, tensor.ToInt64());
        using var pair = zeros(2);
        Binding.NeedsOurs("it refuses the call itself");
        Assert.Throws<TorchException>(() => pair.item<float>());
    }

    [Fact]
    public void Metadata_tells_what_libtorch_knows()
    {
        using var tensor = zeros([2, 3], float64);
        Assert.Equal(6, tensor.numel());
        Assert.Equal(2, tensor.dim());
        Assert.Equal(3, tensor.size(-1));
        Assert.Equal(8, tensor.element_size());
        Assert.Equal(DeviceType.CPU, tensor.device.type);
        Assert.True(tensor.is_leaf);
        Assert.False(tensor.is_cuda);
        Assert.Equal("[2x3], type = Float64, device = cpu", tensor.ToString());
        using var one = tensor.sum();
        Binding.NeedsOurs("it shows no value");
        Assert.Equal("[], type = Float64, device = cpu, value = 0", one.ToString());
    }

    [Fact]
    public void Memory_is_reached_in_place_by_bytes_and_data()
    {
        using var tensor = torch.tensor([1f, 2, 3, 4], [2, 2]);
        MemoryMarshal.Cast<byte, float>(tensor.bytes)[3] = 9;
        Assert.Equal(9, tensor.data<float>()[1, 1]);
        tensor.data<float>()[0, 1] = 7;
        using var turned = tensor.t();
        Assert.Equal([1f, 3, 7, 9], turned.data<float>());
        Assert.Equal([1f, 3, 7, 9], turned.data<float>().ToArray());
        Assert.Throws<InvalidOperationException>(() => turned.bytes.Length);
        tensor.bytes = MemoryMarshal.AsBytes(new float[] { 1, 1, 1, 1 }.AsSpan());
        Assert.Equal(4, tensor.sum().item<float>());
        Binding.NeedsOurs("its accessor counts elements of the memory where ours counts those of the tensor, and checks no index");
        turned.data<float>().CopyFrom([5, 6], tensorIndex: 1);
        Assert.Equal([1f, 6, 5, 1], tensor.data<float>().ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.data<float>()[2, 0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.data<float>()[0]);
    }

    [Fact]
    public void TensorMemory_copies_whatever_the_layout()
    {
        using var scope = NewDisposeScope();
        var image = TensorMemory.From<float>([0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 2, 2]);
        var last = MemoryFormats.ContiguousChannelsLast(image);
        Assert.True(MemoryFormats.IsChannelsLast(last));
        Assert.Equal([0f, 4, 1, 5, 2, 6, 3, 7], last.permute(0, 2, 3, 1).flatten().data<float>().ToArray());
        var copy = new float[8];
        TensorMemory.CopyTo<float>(last, copy);
        Assert.Equal([0f, 1, 2, 3, 4, 5, 6, 7], copy);
        TensorMemory.CopyFrom<float>(last, [7, 6, 5, 4, 3, 2, 1, 0]);
        Assert.Equal([7f, 6, 5, 4, 3, 2, 1, 0], last.contiguous().data<float>().ToArray());
        Assert.Throws<TorchException>(() => TensorMemory.CopyTo<float>(last, new float[7]));
        Assert.Throws<TorchException>(() => TensorMemory.From<float>([1, 2, 3], [2, 2]));
        Assert.Throws<ArgumentException>(() => TensorMemory.CopyTo<double>(last, new double[8]));
        Assert.Equal([3, 4], TensorMemory.AllocateStaging([3, 4], float32).shape);
    }

    [Fact]
    public void Conversions_change_type_and_keep_values()
    {
        using var scope = NewDisposeScope();
        var t = tensor([1.5f, -2]);
        Assert.Equal(float64, t.to(float64).dtype);
        Assert.Equal([1L, -2], t.to(int64).data<long>().ToArray());
        Assert.Equal([1.5f, -2], t.to(bfloat16).@float().data<float>().ToArray());
        Assert.NotEqual(t.Handle, t.to(CPU).Handle);
        t.to(CPU).fill_(3);
        Assert.Equal(6, t.sum().item<float>()); // no copy when nothing changes, as in PyTorch
        t.to(float32, CPU, copy: true).fill_(0);
        t.clone().fill_(0);
        Assert.Equal(6, t.sum().item<float>());
        Assert.Equal(int32, t.type_as(zeros([1], int32)).dtype);
    }

    [Theory]
    [InlineData("cpu", DeviceType.CPU, -1)]
    [InlineData("cuda", DeviceType.CUDA, -1)]
    [InlineData("cuda:3", DeviceType.CUDA, 3)]
    public void A_device_reads_and_writes_its_name(string text, DeviceType type, int index)
    {
        if (type == DeviceType.CUDA && !cuda.is_available()) Binding.NeedsOurs("it looks for the device at once");
        var device = torch.device(text);
        Assert.Equal(type, device.type);
        Assert.Equal(index, device.index);
        Assert.Equal(text, device.ToString());
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:x")]
    public void A_device_that_is_none_is_refused_with_its_name(string text)
    {
        Binding.NeedsOurs("its errors are those of the parts of the name");
        Assert.Contains(text.Split(':')[0], Assert.Throws<ArgumentException>(() => torch.device(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_that_is_forgotten_is_freed_by_its_finalizer()
    {
        var before = TorchRuntime.LiveTensors;
        Forget();
        for (var i = 0; i < 50 && TorchRuntime.LiveTensors > before; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.True(TorchRuntime.LiveTensors <= before);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget() => zeros(3);
    }
}
