using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// One linear layer on the pixels: multinomial logistic regression with the cross-entropy, linear regression with the
/// squared error, which with L2 has the ridge solution in closed form (Hoerl and Kennard, 1970).
/// </summary>
/// <remarks>Input [N, channels, H, W]; output [N, classes]: channels · H · W · classes weights and a bias per class.</remarks>
internal sealed class LinearModel : nn.Module<Tensor, Tensor>
{
    private readonly Linear _layer;

    public LinearModel(Blueprint blueprint) : base(nameof(LinearModel)) =>
        register_module("fc", _layer = nn.Linear(blueprint.Image.Floats, blueprint.Classes));

    public override Tensor forward(Tensor input)
    {
        using var pixels = input.flatten(1);
        return _layer.call(pixels);
    }
}
