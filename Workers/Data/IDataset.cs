using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// One split of an image classification set: byte pixels and a class per sample, by index. Reading is a pure function of
/// the index, safe on any number of threads, and allocates nothing. Whoever opened it disposes it, after its last reader.
/// </summary>
public interface IDataset : IDisposable
{
    /// <summary>The set's name in a <c>--data</c> specification, without a folder: <c>cifar10</c>.</summary>
    string Name { get; }

    /// <summary><c>train</c> or <c>test</c>.</summary>
    string Split { get; }

    /// <summary>Samples, numbered [0, Count).</summary>
    int Count { get; }

    /// <summary>Of every image.</summary>
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

    /// <summary>Writes one image, channel by channel, row by row, and returns its class in [0, ClassCount).</summary>
    /// <param name="sample">In [0, Count).</param>
    /// <param name="pixels">At least [channels · height · width] bytes; what lies beyond is left alone.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such sample.</exception>
    /// <exception cref="ArgumentException"><paramref name="pixels"/> is too short.</exception>
    /// <exception cref="ClusterException">The medium failed or the record is damaged; the message names the file.</exception>
    int Read(int sample, Span<byte> pixels);
}
