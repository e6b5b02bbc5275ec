using Cluster.Workers.Data.Folders;

namespace Cluster.Data.Tests.Folders;

/// <summary>What is found in a folder, in which order, and what is passed over.</summary>
public class FolderIndexSpecs
{
    [Fact]
    public void Classes_and_images_come_in_the_order_of_their_names()
    {
        using var folder = new ImageFolder().With("train/b/2.png", "train/b/10.png", "train/a/z.PNG", "train/B/1.jpeg", "val/a/x.png", "val/b/y.jpg");
        var index = folder.Index();
        Assert.Equal(["B", "a", "b"], index.Classes);
        Assert.Equal(["train/B/1.jpeg", "train/a/z.PNG", "train/b/10.png", "train/b/2.png"], ImageFolder.Paths(index.Train));
        Assert.Equal([0, 1, 2, 2], index.Train.Labels);
        Assert.Equal(["val/a/x.png", "val/b/y.jpg"], ImageFolder.Paths(index.Test));
        Assert.Equal([1, 2], index.Test.Labels);
    }

    [Fact]
    public void Sizes_formats_and_bytes_are_those_of_the_content_whatever_the_name_says()
    {
        using var folder = new ImageFolder().With("train/a/1.jpg").With("train/a/2.png", ImageFolder.JpegHeader(640, 480));
        var facts = folder.Index().Train.Facts;
        Assert.Equal(new ImageHeader(ImageKind.Png, 12, 10), facts.HeaderOf(0));
        Assert.Equal(new ImageHeader(ImageKind.Jpeg, 640, 480), facts.HeaderOf(1));
        Assert.Equal((uint)ImageFolder.Png.Length, facts.Bytes[0]);
    }

    [Theory]
    [InlineData("valid")]
    [InlineData("validation")]
    [InlineData("test")]
    public void The_test_split_has_one_of_several_names(string name)
    {
        using var folder = new ImageFolder().With("train/a/1.png", $"{name}/a/2.png");
        Assert.Equal([$"{name}/a/2.png"], ImageFolder.Paths(folder.Index().Test));
    }

    [Fact]
    public void A_set_without_a_test_split_has_an_empty_one()
    {
        using var folder = new ImageFolder().With("train/a/1.png", "test/000001.png");
        Assert.Equal(0, folder.Index().Test.Count);
    }

    [Fact]
    public void Images_in_folders_below_a_class_are_of_that_class()
    {
        using var folder = new ImageFolder().With("train/n01/images/1.png", "train/n01/0.png", "train/n02/a/b/c/1.png");
        var index = folder.Index();
        Assert.Equal(["train/n01/0.png", "train/n01/images/1.png", "train/n02/a/b/c/1.png"], ImageFolder.Paths(index.Train));
        Assert.Equal([0, 0, 1], index.Train.Labels);
    }

    [Fact]
    public void Hidden_files_are_no_images_and_others_are_counted()
    {
        using var folder = new ImageFolder().With("train/a/1.png", "train/a/._1.png", "train/.hidden/1.png", "train/a/.cache/1.png", "train/__MACOSX/1.png")
            .WithText("train/a/.DS_Store", "x").WithText("train/a/Thumbs.db", "x").WithText("train/a/notes.txt", "x");
        var index = folder.Index();
        Assert.Equal(["train/a/1.png"], ImageFolder.Paths(index.Train));
        Assert.Equal(["a"], index.Classes);
        Assert.Equal(2, index.OtherFiles);
        Assert.Contains("2 other files passed over", index.Sentence(folder.Root));
    }

    [Fact]
    public void Links_to_files_and_folders_are_followed()
    {
        using var folder = new ImageFolder().With("elsewhere/cats/1.png", "train/dog/1.png");
        Directory.CreateSymbolicLink(folder.PathOf("train/cat"), folder.PathOf("elsewhere/cats"));
        File.CreateSymbolicLink(folder.PathOf("train/dog/2.png"), folder.PathOf("elsewhere/cats/1.png"));
        var index = folder.Index();
        Assert.Equal(["train/cat/1.png", "train/dog/1.png", "train/dog/2.png"], ImageFolder.Paths(index.Train));
        Assert.Equal((uint)ImageFolder.Png.Length, index.Train.Facts.Bytes[2]);
    }

    [Theory]
    [InlineData("train/a/again", "train/a")]
    [InlineData("train/a/again", "train")]
    [InlineData("train/a/deep/again", "train/a/deep")]
    [InlineData("train/a/self", "train/a/self")]
    public void A_link_in_a_circle_ends_the_walk_and_is_named(string link, string target)
    {
        using var folder = new ImageFolder().With("train/a/1.png", "train/a/deep/2.png");
        Directory.CreateSymbolicLink(folder.PathOf(link), folder.PathOf(target));
        var index = folder.Index();
        Assert.Equal(["train/a/1.png", "train/a/deep/2.png"], ImageFolder.Paths(index.Train));
        // A link to itself leads nowhere and is a file without an extension.
        if (link != target) Assert.Contains("is a link to a folder that it lies in", Assert.Single(index.Passed).Reason);
        else Assert.Equal(1, index.OtherFiles);
    }

    [Fact]
    public void Two_links_into_each_other_end_the_walk()
    {
        using var folder = new ImageFolder().With("train/a/1.png", "other/2.png");
        Directory.CreateSymbolicLink(folder.PathOf("train/a/there"), folder.PathOf("other"));
        Directory.CreateSymbolicLink(folder.PathOf("other/back"), folder.PathOf("train/a"));
        var index = folder.Index();
        Assert.Equal(["train/a/1.png", "train/a/there/2.png"], ImageFolder.Paths(index.Train));
        Assert.Single(index.Passed);
    }

    [Fact]
    public void A_name_with_a_newline_is_a_name_and_is_written_in_one_line()
    {
        using var folder = new ImageFolder().With("train/a/one\ntwo\\.png");
        Assert.Equal("train/a/one\ntwo\\.png", folder.Index().Train.PathOf(0));
        Assert.Equal(@"train/a/one\ntwo\\.png", ImageNames.Escape("train/a/one\ntwo\\.png"));
    }

    [Theory]
    [InlineData("plain.png")]
    [InlineData("a\nb\\n\u0001\u007f\t.png")]
    [InlineData("\\x41")]
    public void Escapes_are_read_back(string name) => Assert.Equal(name, ImageNames.Unescape(ImageNames.Escape(name)));

    [Fact]
    public void A_name_that_is_not_utf8_is_passed_over_and_named()
    {
        using var folder = new ImageFolder().With("train/a/1.png");
        Shell($"touch \"$(printf '{folder.PathOf("train/a/b\\377d.png")}')\"");
        var index = folder.Index();
        Assert.Equal(["train/a/1.png"], ImageFolder.Paths(index.Train));
        Assert.Equal("has a name that is not UTF-8: rename it", Assert.Single(index.Passed).Reason);
        Shell($"rm -r '{folder.PathOf("train/a")}'");       // .NET cannot name what it is to delete
    }

    [Fact]
    public void A_pipe_among_the_images_does_not_hang_the_index()
    {
        using var folder = new ImageFolder().With("train/a/1.png");
        Shell($"mkfifo '{folder.PathOf("train/a/2.png")}'");
        var index = folder.Index();
        Assert.Equal((byte)ImageKind.NoFile, index.Train.Facts.Kinds[1]);
    }

    [Fact]
    public void Files_that_are_no_images_stay_samples_that_the_sentence_counts()
    {
        using var folder = new ImageFolder().With("train/a/1.png").WithText("train/a/2.jpg", "").WithText("train/a/3.jpg", "text");
        File.CreateSymbolicLink(folder.PathOf("train/a/4.jpg"), folder.PathOf("nowhere.jpg"));
        var index = folder.Index();
        Assert.Equal([ImageKind.Png, ImageKind.Empty, ImageKind.NoImage, ImageKind.Gone], index.Train.Facts.Kinds.Select(static kind => (ImageKind)kind));
        Assert.Contains("3 cannot be images", index.Sentence(folder.Root));
    }

    [Fact]
    public void Every_real_image_has_the_size_that_decoding_finds()
    {
        var root = ImageFolder.Real("imagenet-sample");
        var index = new FolderIndexBuilder(root, progress: null, CancellationToken.None).Build();
        Assert.Equal(5, index.Classes.Length);
        Assert.True(index.Train.Count > 100 && index.Test.Count > 10);
        Assert.Equal(0, index.Unusable);
        using var decoder = new Workers.Data.Images.Native.ImageDecoder();
        for (var sample = 0; sample < index.Train.Count; sample++) Assert.Equal(SizeOf(decoder, $"{root}/{index.Train.PathOf(sample)}"), (index.Train.Facts.Widths[sample], index.Train.Facts.Heights[sample]));
    }

    private static unsafe (int, int) SizeOf(Workers.Data.Images.Native.ImageDecoder decoder, string path)
    {
        var bytes = File.ReadAllBytes(path);
        fixed (byte* data = bytes)
        {
            var header = decoder.Open(data, bytes.Length);
            return (header.Width, header.Height);
        }
    }

    internal static void Shell(string command)
    {
        using var process = System.Diagnostics.Process.Start("bash", ["-c", command]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
