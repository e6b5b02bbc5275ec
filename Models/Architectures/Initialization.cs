namespace Cluster.Architectures;

/// <summary>How a family draws the first weights of its convolutions.</summary>
public enum ConvolutionInitialization
{
    /// <summary>torch.nn.Conv2d's default: kaiming_uniform with a = √5, that is uniform in ±1/√fan_in.</summary>
    PyTorchDefault,

    /// <summary>torchvision's ResNets and VGGs: kaiming_normal, mode fan_out, gain of ReLU (He et al., 2015, arXiv:1502.01852).</summary>
    KaimingNormalFanOut,

    /// <summary>torchvision's DenseNets: kaiming_normal, mode fan_in, gain √2.</summary>
    KaimingNormalFanIn,

    /// <summary>Normal with deviation <see cref="Initialization.SmallDeviation"/>.</summary>
    Small,
}

/// <summary>First weights of a variant, as its source draws them. Norm layers always start as the identity.</summary>
/// <param name="Convolutions">Weights; biases are uniform in ±1/√fan_in unless <paramref name="ZeroConvolutionBiases"/>.</param>
/// <param name="SmallLinears">Linear weights are normal with <see cref="SmallDeviation"/> instead of uniform in ±1/√fan_in.</param>
public sealed record Initialization(
    ConvolutionInitialization Convolutions, bool ZeroConvolutionBiases = false, bool SmallLinears = false, bool ZeroLinearBiases = false)
{
    /// <summary>
    /// Of torchvision's VGG classifiers and of its GoogLeNet. The latter is called a truncated normal there, but the bounds
    /// are ±2, two hundred deviations away.
    /// </summary>
    public const double SmallDeviation = 0.01;
}
