using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

public sealed class CudaSpecs
{
    private static void NeedsCuda() => Assert.SkipUnless(cuda.is_available(), "no CUDA device, or libtorch was built without CUDA");

    [Fact]
    public void Values_travel_to_the_device_and_back()
    {
        NeedsCuda();
        using var scope = NewDisposeScope();
        var there = TensorMemory.From<float>([1, 2, 3], [3], device("cuda:0"));
        Assert.Equal(DeviceType.CUDA, there.device.type);
        var back = new float[3];
        TensorMemory.CopyTo<float>(there * 2, back);
        Assert.Equal([2f, 4, 6], back);
        Assert.Throws<InvalidOperationException>(() => there.bytes.Length);
        Assert.Throws<InvalidOperationException>(() => there.data<float>());
        Assert.True(TensorMemory.AllocateStaging([4], float32).is_pinned());
    }

    [Fact]
    public void A_net_moves_and_gives_its_gradients_to_a_flat_span_twice_the_same()
    {
        NeedsCuda();
        TorchRuntime.Deterministic();
        float[] Run()
        {
            using var scope = NewDisposeScope();
            using var net = SmallNet.Seeded(1).to(CUDA);
            using var flat = new FlatCopy([.. net.parameters()]);
            using var generator = new Generator(2);
            var images = randn(8, 3, 16, 16, generator: generator).to(CUDA);
            var labels = randint(10, [8], generator: generator).to(CUDA);
            nn.functional.cross_entropy(net.call(images), labels).backward();
            var gradient = new float[flat.Length];
            flat.CopyGradientsTo(gradient);
            return gradient;
        }
        var first = Run();
        Assert.Contains(first, value => value != 0);
        Assert.Equal(first, Run());
    }

    [Fact]
    public void Asking_for_a_device_that_is_not_there_is_libtorchs_error()
    {
        Assert.SkipWhen(cuda.is_available(), "there is a CUDA device");
        Assert.Equal(0, cuda.device_count());
        Assert.False(cuda.is_cudnn_available());
        Binding.NeedsOurs("it looks for a CUDA build of itself and says so over pages");
        Assert.Throws<TorchException>(() => zeros([1], device: CUDA));
    }
}
