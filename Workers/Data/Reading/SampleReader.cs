using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>
/// Turns samples of one split into what the network sees. It has buffers of its own, so it serves one thread at a time
/// and reading allocates nothing in steady state. Whoever opened it disposes it.
/// </summary>
public abstract class SampleReader : IDisposable
{
    /// <summary>The training transform of one sample in one epoch: a function of (seed, epoch, sample) alone.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="sample">The sample's number in its split.</param>
    /// <param name="destination">[channels, height, width] normalised floats.</param>
    /// <returns>The sample's class.</returns>
    /// <exception cref="UnreadableSampleException">This sample is damaged or gone; others are not.</exception>
    /// <exception cref="ClusterException">The medium failed.</exception>
    public abstract int ReadTraining(long epoch, int sample, Span<float> destination);

    /// <summary>The evaluation transform of one sample; else as <see cref="ReadTraining"/>.</summary>
    /// <inheritdoc cref="ReadTraining"/>
    public abstract int ReadEvaluation(int sample, Span<float> destination);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A split together with what is done to its samples. Immutable; any thread.</summary>
public interface ISampleSource
{
    /// <summary>Stays its opener's to dispose, after the last reader.</summary>
    IDataset Dataset { get; }

    /// <summary>A reader for one thread.</summary>
    SampleReader Open();
}

/// <summary>One sample cannot be decoded: its file is damaged, or is gone. It says nothing about the others.</summary>
public sealed class UnreadableSampleException : ClusterException
{
    /// <param name="sample">Its number in its split.</param>
    /// <param name="reason">One line: where, and what is wrong.</param>
    public UnreadableSampleException(int sample, string reason, Exception? inner = null) : base(reason, inner!) => Sample = sample;

    public UnreadableSampleException(string message) : base(message) { }
    public UnreadableSampleException(string message, Exception inner) : base(message, inner) { }
    public UnreadableSampleException() { }

    public int Sample { get; }
}

/// <summary>A sample that could not be decoded, and why.</summary>
/// <param name="Reason">One line: where, and what is wrong.</param>
public readonly record struct UnreadableSample(int Sample, string Reason);
