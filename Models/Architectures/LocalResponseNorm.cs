using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>
/// Local response normalisation across channels (Krizhevsky, Sutskever and Hinton, 2012, section 3.3): x divided by
/// (k + α/n · Σ x²)^β, the sum over the n channels around each. The defaults are the paper's; its α = 1e-4 is not divided
/// by n and torch.nn.LocalResponseNorm's is, whence 5e-4. Sums shifted slices, because libtorch's own goes through
/// avg_pool3d, whose CUDA backward is not deterministic.
/// </summary>
internal sealed class LocalResponseNorm(int size = 5, double alpha = 5e-4, double beta = 0.75, double k = 2)
    : nn.Module<Tensor, Tensor>(nameof(LocalResponseNorm))
{
    /// <param name="input">[N, C, H, W].</param>
    public override Tensor forward(Tensor input)
    {
        using var squares = input.square();
        using var padded = nn.functional.pad(squares, [0, 0, 0, 0, size / 2, (size - 1) / 2]);
        var channels = input.shape[1];
        var sum = padded.narrow(1, 0, channels);
        for (var shift = 1; shift < size; shift++)
        {
            using var neighbour = padded.narrow(1, shift, channels);
            sum = Layers.Next(sum, sum.add(neighbour));
        }
        sum = Layers.Next(sum, sum.mul(alpha / size));
        sum = Layers.Next(sum, sum.add(k));
        using var divisor = Layers.Next(sum, sum.pow(beta));
        return input.div(divisor);
    }
}
