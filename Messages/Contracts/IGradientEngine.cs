namespace Cluster.Contracts;

/// <summary>Shape of one image: channels, height, width.</summary>
public readonly record struct ImageShape(int Channels, int Height, int Width)
{
    public int Floats => Channels * Height * Width;
    public override string ToString() => $"{Channels}x{Height}x{Width}";
}

/// <summary>Decoded, augmented, normalised samples.</summary>
/// <param name="images">[Count, channels, height, width] float32, contiguous.</param>
/// <param name="labels">[Count] class indices.</param>
public readonly ref struct ImageBatch(ReadOnlySpan<float> images, ReadOnlySpan<long> labels, ImageShape shape)
{
    public ReadOnlySpan<float> Images { get; } = images;
    public ReadOnlySpan<long> Labels { get; } = labels;
    public ImageShape Shape { get; } = shape;
    public int Count => Labels.Length;
}

/// <summary>What a leaf computed besides its gradient.</summary>
/// <param name="LossSum">Sum over samples of the training loss (with label smoothing), in nats.</param>
/// <param name="CorrectCount">Samples whose largest logit is their label's.</param>
/// <param name="FirstBadParameter">Name of the first entry with a NaN or an infinity; null when all are finite.</param>
public readonly record struct LeafOutcome(double LossSum, int CorrectCount, string? FirstBadParameter)
{
    public bool IsFinite => FirstBadParameter is null && double.IsFinite(LossSum);
}

/// <summary>
/// The port to the device: spans in, spans out, no tensor in the signature. One engine per worker; every call on the
/// worker's compute thread. The state vector is laid out by <see cref="Layout"/>.
/// </summary>
public interface IGradientEngine : IDisposable
{
    ParameterLayout Layout { get; }

    /// <summary>Classes that the model tells apart: the width of its logits.</summary>
    int ClassCount { get; }

    /// <summary>Writes the seeded first weights and buffers into <paramref name="state"/> [StateFloats]. Counters start at 0.</summary>
    void Initialize(ulong seed, Span<float> state);

    /// <summary>Takes weights and buffers [StateFloats] as the ones to compute with.</summary>
    void LoadState(ReadOnlySpan<float> state);

    /// <summary>
    /// Forward and backward over one leaf from the loaded state, buffers included. Writes into <paramref name="node"/>
    /// [StateFloats]: summed (not averaged) gradients where the parameters lie, zero in the padding, and the leaf's
    /// updated buffers where the buffers lie. The loaded state itself is left as it was.
    /// </summary>
    /// <param name="batch">The leaf's samples; on return no longer needed.</param>
    /// <param name="seed">The run's seed; with step and leaf it keys dropout.</param>
    LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node);

    /// <summary>Forward in evaluation mode; writes logits [Count, ClassCount].</summary>
    void Predict(in ImageBatch batch, Span<float> logits);
}
