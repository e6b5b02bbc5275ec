using Cluster.Torch;
using TorchSharp;

namespace Cluster.Binding.Tests;

public sealed class TrainingSpecs
{
    [Fact]
    public void A_net_names_its_entries_as_PyTorch_does()
    {
        using var net = new SmallNet();
        string[] entries =
        [
            "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked",
            "layer1.0.weight", "layer1.0.bias", "layer1.1.weight", "layer1.1.bias", "layer1.1.running_mean", "layer1.1.running_var",
            "layer1.1.num_batches_tracked", "fc.weight", "fc.bias",
        ];
        Assert.Equal(["conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.weight", "layer1.0.bias", "layer1.1.weight", "layer1.1.bias", "fc.weight", "fc.bias"],
            net.named_parameters().Select(entry => entry.name));
        Assert.Equal(entries.Order(StringComparer.Ordinal), net.state_dict().Keys.Order(StringComparer.Ordinal));
        Binding.NeedsOurs("its dictionary has the buffers behind the parameters");
        Assert.Equal(entries, net.state_dict().Keys);
    }

    [Fact]
    public void Two_hundred_steps_leave_as_many_tensors_as_ten()
    {
        TorchRuntime.SetThreads(1);
        using var net = SmallNet.Seeded(1);
        using var flat = new FlatCopy([.. net.parameters()]);
        var gradient = new float[flat.Length];
        var after = new long[201];
        for (var step = 1; step <= 200; step++)
        {
            flat.ClearGradients();
            Assert.True(float.IsFinite(net.Step(step)));
            flat.CopyGradientsTo(gradient);
            after[step] = TorchRuntime.LiveTensors;
        }
        Assert.Contains(gradient, value => value != 0);
        Assert.Equal(after[10], after[200]);
    }
}
