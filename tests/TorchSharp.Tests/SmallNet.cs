using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Binding.Tests;

/// <summary>A convolutional net with every kind of layer that matters: [N, 3, 16, 16] to [N, 10].</summary>
internal sealed class SmallNet : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(3, 8, 3, padding: 1, bias: false);
    private readonly BatchNorm2d bn1 = BatchNorm2d(8);
    private readonly Sequential layer1 = Sequential(Conv2d(8, 16, 3, stride: 2, padding: 1), BatchNorm2d(16), ReLU(inplace: true));
    private readonly MaxPool2d pool = MaxPool2d(2);
    private readonly AdaptiveMaxPool2d global = AdaptiveMaxPool2d([1, 1]);
    private readonly Linear fc = Linear(16, 10);

    public SmallNet() : base(nameof(SmallNet)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = functional.relu(bn1.call(conv1.call(input)));
        x = pool.call(layer1.call(x));
        return fc.call(global.call(x).flatten(1)).MoveToOuterDisposeScope();
    }

    /// <summary>One forward and backward over seeded data; returns the loss.</summary>
    public float Step(int seed, int samples = 4)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var images = randn(samples, 3, 16, 16, generator: generator);
        var labels = randint(10, [samples], generator: generator);
        var loss = functional.cross_entropy(call(images), labels, reduction: Reduction.Sum, label_smoothing: 0.1);
        loss.backward();
        return loss.item<float>();
    }

    public static SmallNet Seeded(ulong seed)
    {
        var net = new SmallNet();
        using var generator = new Generator(seed);
        using var noGrad = no_grad();
        foreach (var parameter in net.parameters()) parameter.uniform_(-0.2, 0.2, generator);
        return net;
    }
}
