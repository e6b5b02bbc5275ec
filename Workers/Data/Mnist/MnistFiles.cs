using Cluster.Contracts;

namespace Cluster.Workers.Data.Mnist;

/// <summary>
/// MNIST (LeCun et al., 1998) and Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): the same four IDX files, plain or .gz,
/// 1x28x28 pixels and ten classes.
/// </summary>
internal static class MnistFiles
{
    public const string Digits = "mnist", Fashion = "fashion-mnist";
    public const int ClassCount = 10;

    public static readonly ImageShape Shape = new(1, 28, 28);

    private static readonly IReadOnlyList<string> DigitNames = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    private static readonly IReadOnlyList<string> FashionNames = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Where torchvision and the archives put the files.</summary>
    private static readonly string[] Inner = ["", "raw", "MNIST/raw", "FashionMNIST/raw"];

    /// <param name="name"><see cref="Digits"/> or <see cref="Fashion"/>.</param>
    /// <exception cref="UserMistakeException">A file is missing or damaged, or two do not fit together.</exception>
    public static (IDataset Train, IDataset Test) Open(string name, string directory)
    {
        directory = Path.GetFullPath(directory);
        var folder = Inner.Select(inner => Path.Combine(directory, inner)).FirstOrDefault(HasImages) ?? directory;
        return MemoryDataset.Create(name, Shape, name == Fashion ? FashionNames : DigitNames, Read(name, folder, "train"), Read(name, folder, "t10k"));
    }

    private static bool HasImages(string folder) => Dotted.Any(dot => File.Exists(Path.Combine(folder, $"train-images{dot}idx3-ubyte")) || File.Exists(Path.Combine(folder, $"train-images{dot}idx3-ubyte.gz")));

    /// <summary>Some unpackers write the dot that the authors' names once had.</summary>
    private static readonly string[] Dotted = ["-", "."];

    private static SplitBytes Read(string name, string folder, string split)
    {
        var dot = Dotted.FirstOrDefault(mark => File.Exists(Path.Combine(folder, $"{split}-images{mark}idx3-ubyte")) || File.Exists(Path.Combine(folder, $"{split}-images{mark}idx3-ubyte.gz"))) ?? "-";
        var (imagesPath, labelsPath) = (Path.Combine(folder, $"{split}-images{dot}idx3-ubyte"), Path.Combine(folder, $"{split}-labels{dot}idx1-ubyte"));
        var (sizes, pixels) = IdxFile.Read(imagesPath, name, dimensions: 3);
        if (sizes[1] != Shape.Height || sizes[2] != Shape.Width) throw new UserMistakeException($"{imagesPath} holds images of {sizes[1]}x{sizes[2]}, expected {Shape.Height}x{Shape.Width}: it is no file of {name}");
        var (counts, labels) = IdxFile.Read(labelsPath, name, dimensions: 1);
        if (counts[0] != sizes[0]) throw new UserMistakeException($"{imagesPath} holds {sizes[0]:N0} images and {labelsPath} {counts[0]:N0} labels: they belong to different sets");
        var wrong = labels.AsSpan().IndexOfAnyInRange((byte)ClassCount, byte.MaxValue);
        if (wrong >= 0) throw new UserMistakeException($"{labelsPath} label {wrong} is {labels[wrong]}, of {ClassCount} classes: it is corrupted, get it again");
        return new SplitBytes(pixels, labels);
    }
}
