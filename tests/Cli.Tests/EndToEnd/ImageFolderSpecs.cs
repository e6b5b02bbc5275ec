namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Folders of images through the real executable, with a cache folder of their own.</summary>
public sealed class ImageFolderSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_check_names_bad_images_and_training_goes_on_without_them()
    {
        var images = RealImages(perClass: 6);
        File.WriteAllText($"{images}/train/b/text.JPEG", "no image");
        File.WriteAllBytes($"{images}/train/a/empty.JPEG", []);
        var whole = Directory.EnumerateFiles($"{images}/train/a", "0.JPEG").Select(File.ReadAllBytes).Single();
        File.WriteAllBytes($"{images}/val/a/cut.JPEG", whole[..(whole.Length / 2)]);

        var check = Cluster("data", "check", $"imagefolder:{images}");
        Assert.True(check.ExitCode == 0, check.Error);
        Assert.Equal(["bad  train/a/empty.JPEG is empty", "bad  train/b/text.JPEG is no image"], check.OutputLines.Where(static line => line.StartsWith("bad  train", StringComparison.Ordinal)));
        Assert.Contains(check.OutputLines, static line => line.StartsWith("bad  val/a/cut.JPEG ", StringComparison.Ordinal));
        Assert.Contains(check.OutputLines, line => line == $"18 of 21 images are sound: 14 training and 7 test images of 2 classes in {images}");
        var list = Assert.Single(Directory.EnumerateFiles(_world.PathOf("cache/indexes"), "skip-*.txt"));
        Assert.Contains($"3 bad ones are on the skip list {list} and are no samples from now on", check.Output);

        // Both numbers of workers see the same samples.
        Assert.Equal(Training.HashOf(Train(images, "one", workers: 1)), Training.HashOf(Train(images, "two", workers: 2)));
        Assert.Contains("training-samples: 12", File.ReadAllText(_world.PathOf("one/config.yaml")));
    }

    [Fact]
    [Trait("Clock", "wall")]
    public void Images_that_nobody_checked_and_that_cannot_be_decoded_are_left_out_by_all_alike()
    {
        var images = RealImages(perClass: 6);
        foreach (var name in new[] { "train/a/1.JPEG", "val/b/6.JPEG" })
        {
            var whole = File.ReadAllBytes($"{images}/{name}");
            File.WriteAllBytes($"{images}/{name}", whole[..(whole.Length * 2 / 3)]);        // the header is sound
        }
        var hash = Training.HashOf(Train(images, "one", workers: 1));
        Assert.Equal(hash, Training.HashOf(Train(images, "three", workers: 3)));
        Assert.Equal(hash, Training.HashOf(Train(images, "launched", workers: 2, "launch")));

        // All twelve are samples; the record of one step names the one that was not decoded.
        Assert.Contains("training-samples: 12", File.ReadAllText(_world.PathOf("launched/config.yaml")));
        Assert.Single(File.ReadLines(_world.PathOf("launched/commits.jsonl")), static line => line.Contains("\"left_out\":[", StringComparison.Ordinal));
        var events = File.ReadAllText(_world.PathOf("launched/events.jsonl"));
        Assert.Contains("\"sample-left-out\"", events);
        Assert.Contains("train/a/1.JPEG", events);
        Assert.Contains("\"test-sample-left-out\"", events);
        var audit = Cluster("audit", "launched");
        Assert.True(audit.ExitCode == 0, audit.Error);
        Assert.Contains("clean: every sample was taken exactly once per epoch, but 1 sample that was left out", audit.Output);

        // Its weights come back from the log: what is left out of a step is recorded.
        File.Delete(_world.PathOf("launched/summary.json"));
        Directory.Delete(_world.PathOf("launched/checkpoints"), recursive: true);
        Assert.Equal(hash, Training.HashOf(Cluster("train", "--resume", "--workers", "1", "--out", "launched")));
    }

    [Fact]
    public void Real_photographs_are_checked_and_trained_on()
    {
        var images = Path.Combine(Data(), "imagenet-sample");
        var check = Cluster("data", "check", $"imagefolder:{images}");
        Assert.True(check.ExitCode == 0, check.Error);
        Assert.Matches(@"^(\d+) of \1 images are sound: \d+ training and \d+ test images of 5 classes in .*imagenet-sample$", check.OutputLines[^1]);
        Assert.Empty(Directory.EnumerateFiles(_world.PathOf("cache/indexes"), "skip-*.txt"));
        Training.HashOf(Train(images, "run", workers: 2));
    }

    [Fact]
    public void An_index_is_said_to_be_made_once()
    {
        var images = RealImages(perClass: 4);
        foreach (var folder in Directory.EnumerateDirectories(images, "*", SearchOption.AllDirectories).Append(images)) Directory.SetLastWriteTimeUtc(folder, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Contains($"indexed {images}: 8 training and 4 test images in 2 classes", Train(images, "first", workers: 1).Output);
        Assert.DoesNotContain("indexed", Train(images, "second", workers: 1).Output);
    }

    [Theory]
    [InlineData("names no folder: write imagefolder:DIR", "data", "check", "imagefolder")]
    [InlineData("there is no folder", "data", "check", "imagefolder:nowhere")]
    [InlineData("is empty: expected are train/<class>/<image>", "data", "check", "imagefolder:empty")]
    [InlineData("is empty: expected are train/<class>/<image>", "train", "--data", "imagefolder:empty", "--out", "run")]
    [InlineData("imagefolder is brought by yourself", "data", "get", "imagefolder:empty")]
    [InlineData("cifar10 lies in a few large files already", "data", "pack", "cifar10", "packed")]
    [InlineData("did you mean imagefolder?", "data", "check", "imagefoldr:empty")]
    [InlineData("train-images-idx3-ubyte is missing", "data", "check", "mnist:empty")]
    public void A_mistake_is_one_line_and_exit_code_2(string expected, params string[] arguments)
    {
        Directory.CreateDirectory(_world.PathOf("empty"));
        var outcome = Cluster(arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
        Assert.False(Path.Exists(_world.PathOf("run")));
    }

    [Fact]
    public void Each_class_without_images_is_a_line()
    {
        foreach (var name in new[] { "a", "b" }) Directory.CreateDirectory(_world.PathOf($"set/train/{name}"));
        var outcome = Cluster("train", "--data", "imagefolder:set", "--out", "run");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(2, outcome.ErrorLines.Length);
        Assert.All(outcome.ErrorLines, static line => Assert.Contains("is a class without images: put some there, or remove the folder", line));
    }

    private Outcome Train(string images, string run, int workers, string verb = "train") => Cluster(
        verb, "--model", "small-cnn", "--data", $"imagefolder:{images}", "--image-size", "32", "--batch", "8", "--microbatches", "4", "--steps", "2", "--seed", "3", "--workers", $"{workers}", "--monitor", "none", "--out", run);

    private Outcome Cluster(params string[] arguments) => Processes.Run("env", _world.Folder, [$"CLUSTER_CACHE={_world.PathOf("cache")}", Processes.Cluster, .. arguments]);

    /// <summary>Two classes of real photographs: the given number of training images in each, half as many of test images.</summary>
    private string RealImages(int perClass)
    {
        var source = Directory.EnumerateDirectories(Path.Combine(Data(), "tiny-imagenet-20", "train")).Order(StringComparer.Ordinal).Take(2).ToList();
        var images = _world.PathOf("images");
        foreach (var (name, from) in new[] { ("a", source[0]), ("b", source[1]) })
        {
            var files = Directory.EnumerateFiles(from).Order(StringComparer.Ordinal).Take(perClass + perClass / 2).ToList();
            for (var i = 0; i < files.Count; i++)
            {
                var folder = Directory.CreateDirectory($"{images}/{(i < perClass ? "train" : "val")}/{name}").FullName;
                File.Copy(files[i], $"{folder}/{i}.JPEG");
            }
        }
        return images;
    }

    private static string Data()
    {
        var data = Environment.GetEnvironmentVariable("CLUSTER_TEST_DATA");
        Assert.SkipWhen(string.IsNullOrEmpty(data) || !Directory.Exists(Path.Combine(data, "imagenet-sample")) || !Directory.Exists(Path.Combine(data, "tiny-imagenet-20")), "needs real images: set CLUSTER_TEST_DATA to the folder that holds imagenet-sample and tiny-imagenet-20");
        return data!;
    }
}
