using Cluster.Contracts;

namespace Cluster.Workers.Data.Images;

/// <summary>Where the encoded images (JPEG, PNG) of a split come from: files of a folder, entries of archives. Any number of threads.</summary>
internal interface IEncodedImages
{
    int Count { get; }

    /// <summary>In [0, classes).</summary>
    int LabelOf(int sample);

    /// <summary>Where the sample lies, for a person: a path, or an archive and the entry in it.</summary>
    string PlaceOf(int sample);

    /// <summary>Reads the encoded bytes of one sample.</summary>
    /// <param name="sample">In [0, Count).</param>
    /// <param name="buffer">The calling reader's own; grows when the sample needs more, and is never shrunk.</param>
    /// <returns>How many bytes of <paramref name="buffer"/> they are.</returns>
    /// <exception cref="UnreadableSampleException">The file is gone, was changed since the index was made, or is larger than <see cref="Limits.MaxEncodedImageBytes"/>.</exception>
    /// <exception cref="ClusterException">The medium failed, or the whole data set is gone.</exception>
    int Read(int sample, ref byte[] buffer);
}
