using Cluster.Contracts;

namespace Cluster.Workers.Data.Cifar;

/// <summary>One file of the set: its records and the MD5 of its bytes.</summary>
internal sealed record BatchFile(string Name, int Records, string Md5)
{
    public long Bytes => (long)Records * Cifar10Format.RecordBytes;
}

/// <summary>
/// CIFAR-10's binary version (Krizhevsky, "Learning multiple layers of features from tiny images", 2009;
/// https://www.cs.toronto.edu/~kriz/cifar.html): records of one label byte and 3x32x32 pixel bytes, red, green, blue
/// plane, each row by row. The MD5s are those of the files in cifar-10-binary.tar.gz.
/// </summary>
internal static class Cifar10Format
{
    public const string SetName = "cifar10";
    public const string FolderName = "cifar-10-batches-bin";
    public const int PixelBytes = 3 * 32 * 32;
    public const int RecordBytes = 1 + PixelBytes;
    public const int ClassCount = 10;

    public static readonly ImageShape Shape = new(3, 32, 32);

    public static readonly IReadOnlyList<BatchFile> TrainFiles =
    [
        new("data_batch_1.bin", 10_000, "5dd7e06a14cb22eb9f671a540d1b7c25"),
        new("data_batch_2.bin", 10_000, "5ea93a67294ea407fff1d09f752e9692"),
        new("data_batch_3.bin", 10_000, "942cd6a4bcdd0dd3c604fbe906cb4421"),
        new("data_batch_4.bin", 10_000, "ae636b3ba5c66a11e91e8cb52e771fcb"),
        new("data_batch_5.bin", 10_000, "53f37980c15c3d472c316c40844f3f0d"),
    ];

    public static readonly IReadOnlyList<BatchFile> TestFiles = [new("test_batch.bin", 10_000, "803d5f7f4d78ea53de84dbe85f74fb6d")];

    public static readonly IReadOnlyList<BatchFile> AllFiles = [.. TrainFiles, .. TestFiles];

    public static readonly IReadOnlyList<string> ClassNames =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Of the 50,000 training images (51,200,000 pixels per channel); facts of bytes whose MD5 is checked. A test recomputes them.</summary>
    public static readonly IReadOnlyList<double> Mean = [0.49139967861519607, 0.48215840839460783, 0.44653091444546567];
    public static readonly IReadOnlyList<double> Std = [0.24703223246328201, 0.24348512800005553, 0.2615878417279645];

    /// <summary>Sizes only: what can be asked at every start without reading 180 MB.</summary>
    public static bool HasAllSizes(string directory) => AllFiles.All(file =>
    {
        var info = new FileInfo(Path.Combine(directory, file.Name));
        return info.Exists && info.Length == file.Bytes;
    });
}
