using Cluster.Contracts;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>What a family is built from, besides its own sizes. One per model.</summary>
/// <param name="dropout">For every dropout layer; null = the architecture's own rates.</param>
/// <param name="key">Where those layers read which leaf it is.</param>
internal sealed class Blueprint(ImageShape image, int classes, double? dropout, LeafKey key)
{
    /// <summary>How many there are so far.</summary>
    public int DropoutLayers { get; private set; }

    public ImageShape Image => image;
    public int Channels => image.Channels;
    public int Classes => classes;

    /// <summary>The model's next dropout layer: its number, which keys its masks, is the order of these calls.</summary>
    /// <param name="ownRate">The architecture's own.</param>
    public nn.Module<Tensor, Tensor> Dropout(double ownRate) => new CounterDropout(dropout ?? ownRate, DropoutLayers++, key);
}

/// <summary>A model with classifiers beside the last one, whose losses help in training (Szegedy et al., 2015, section 5).</summary>
public interface IAuxiliaryHeads
{
    /// <summary>The logits as <c>forward</c> gives them, and those of the other heads, all [N, classes] and owned by the caller.</summary>
    (Tensor Logits, IReadOnlyList<Tensor> Auxiliary) ForwardWithHeads(Tensor input);
}
