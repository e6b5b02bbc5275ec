using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// One split of an image classification set: byte pixels and a class per sample, by index. Reading is a pure function of
/// the index, safe on any number of threads. Whoever opened it disposes it, after its last reader.
/// </summary>
public interface IDataset : IDisposable
{
    /// <summary>The set's name in a <c>--data</c> specification, without a folder: <c>cifar10</c>.</summary>
    string Name { get; }

    /// <summary><c>train</c> or <c>test</c>.</summary>
    string Split { get; }

    /// <summary>Samples, numbered [0, Count).</summary>
    int Count { get; }

    /// <summary>Of every image as the network sees it.</summary>
    ImageShape Shape { get; }

    int ClassCount { get; }

    /// <summary>[ClassCount], in label order.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>[channels] mean of the <em>training</em> split's pixels scaled to [0, 1]; the test split gives the same values.</summary>
    IReadOnlyList<double> Mean { get; }

    /// <summary>[channels] population standard deviation of the training split's pixels scaled to [0, 1].</summary>
    IReadOnlyList<double> Std { get; }

    /// <summary>SHA-256, lower-case hex, over what decides the split's content. Equal on two machines exactly when their samples are equal.</summary>
    string Fingerprint { get; }

    /// <summary>How an epoch's order must look so that reading in it is fast.</summary>
    OrderLayout Order => OrderLayout.Uniform;

    /// <summary>Told before positions from <paramref name="position"/> on are read: what comes then can be fetched ahead. Never waits.</summary>
    /// <param name="order">Of this split, with its <see cref="Order"/>.</param>
    void Expect(SampleOrder order, int position)
    {
    }

    /// <summary>SHA-256 of what this machine decodes a fixed image to; null where nothing is decoded. Equal bits need equal values.</summary>
    string? Decoding => null;

    /// <summary>The class of one sample, in [0, ClassCount).</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such sample.</exception>
    /// <exception cref="ClusterException">The medium failed or the record is damaged; the message names the file.</exception>
    int LabelOf(int sample);

    /// <summary>The split with its transforms, ready to be read from.</summary>
    /// <param name="augmentation">What training does to a sample; evaluation takes mean and standard deviation alone.</param>
    /// <param name="seed">The run's seed: keys what is drawn.</param>
    /// <exception cref="UserMistakeException">An option that this set does not allow.</exception>
    ISampleSource With(AugmentationOptions augmentation, ulong seed);

    /// <summary>Writes one image as evaluation sees it, channel by channel, row by row, and returns its class in [0, ClassCount).</summary>
    /// <param name="sample">In [0, Count).</param>
    /// <param name="pixels">At least [channels · height · width] bytes; what lies beyond is left alone.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such sample.</exception>
    /// <exception cref="ArgumentException"><paramref name="pixels"/> is too short.</exception>
    /// <exception cref="ClusterException">The medium failed or the record is damaged; the message names the file.</exception>
    int Read(int sample, Span<byte> pixels);
}
