using Cluster.Contracts;

namespace Cluster.Workers.Data.Cifar;

/// <summary>
/// CIFAR-100's binary version (https://www.cs.toronto.edu/~kriz/cifar.html): records of a coarse label (0 to 19), a fine
/// label (0 to 99) and 3x32x32 pixels. The fine labels are the classes, as everybody reports them.
/// </summary>
internal static class Cifar100Files
{
    public const string SetName = "cifar100";
    public const string FolderName = "cifar-100-binary";
    public const int ClassCount = 100;

    private const int TrainRecords = 50_000, TestRecords = 10_000, CoarseClasses = 20, LabelBytes = 2;
    private const string NamesFile = "fine_label_names.txt";

    public static readonly ImageShape Shape = new(3, 32, 32);

    private static int RecordBytes => LabelBytes + Shape.Floats;

    /// <exception cref="UserMistakeException">A file is missing, has another size, holds a label that is none, or cannot be read.</exception>
    public static (IDataset Train, IDataset Test) Open(string directory)
    {
        directory = Path.GetFullPath(directory);
        var inner = Path.Combine(directory, FolderName);
        if (!File.Exists(Path.Combine(directory, "train.bin")) && File.Exists(Path.Combine(inner, "train.bin"))) directory = inner;
        return MemoryDataset.Create(SetName, Shape, Names(directory), Read(Path.Combine(directory, "train.bin"), TrainRecords), Read(Path.Combine(directory, "test.bin"), TestRecords));
    }

    internal static SplitBytes Read(string path, int records)
    {
        var file = FileBytes.Read(path, SetName, (long)records * RecordBytes);
        var (pixels, labels) = (new byte[records * Shape.Floats], new byte[records]);
        for (var record = 0; record < records; record++)
        {
            var at = record * RecordBytes;
            if (file[at] >= CoarseClasses || file[at + 1] >= ClassCount)
                throw new UserMistakeException($"{path} record {record} has labels {file[at]} and {file[at + 1]}, of {CoarseClasses} and {ClassCount}: it is corrupted, unpack the archive again");
            labels[record] = file[at + 1];
            file.AsSpan(at + LabelBytes, Shape.Floats).CopyTo(pixels.AsSpan(record * Shape.Floats));
        }
        return new SplitBytes(pixels, labels);
    }

    /// <summary>The archive brings the names; where somebody left them away, numbers do.</summary>
    private static string[] Names(string directory)
    {
        var path = Path.Combine(directory, NamesFile);
        var names = File.Exists(path) ? Folders.LabelList.Lines(path).Where(static line => line.Length > 0).ToArray() : [];
        return names.Length == ClassCount ? names : [.. Enumerable.Range(0, ClassCount).Select(static label => $"class {label}")];
    }
}
