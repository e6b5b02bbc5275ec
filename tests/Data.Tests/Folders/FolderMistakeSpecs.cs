using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests.Folders;

/// <summary>Folders that are no data set: one line for each thing that is wrong, with what to do.</summary>
public class FolderMistakeSpecs
{
    [Fact]
    public void A_class_without_images_is_named_each()
    {
        using var folder = new ImageFolder().With("train/a/1.png").WithText("train/c/readme.txt", "x");
        Directory.CreateDirectory(folder.PathOf("train/b"));
        Assert.Equal([$"{folder.PathOf("train/b")} is a class without images: put some there, or remove the folder", $"{folder.PathOf("train/c")} is a class without images: put some there, or remove the folder"], folder.Mistake().Split('\n'));
    }

    [Fact]
    public void A_test_class_that_training_lacks_is_named_each()
    {
        using var folder = new ImageFolder().With("train/a/1.png", "val/a/1.png", "val/x/1.png", "val/y/1.png");
        var lines = folder.Mistake().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Equal($"{folder.PathOf("val/x")} is a class that training lacks: add its training images, or take it out of val", lines[0]);
    }

    [Fact]
    public void Of_many_mistakes_of_one_kind_twenty_are_shown_and_the_others_counted()
    {
        using var folder = new ImageFolder().With("train/a/1.png").With([.. Enumerable.Range(0, 25).Select(static i => $"val/x{i:00}/1.png")]);
        var lines = folder.Mistake().Split('\n');
        Assert.Equal(21, lines.Length);
        Assert.Equal("and 5 more of this kind", lines[^1]);
    }

    [Fact]
    public void A_test_class_without_images_is_nothing_to_complain_about()
    {
        using var folder = new ImageFolder().With("train/a/1.png", "train/b/1.png", "val/a/1.png");
        Directory.CreateDirectory(folder.PathOf("val/b"));
        Assert.Equal(1, folder.Index().Test.Count);
    }

    [Fact]
    public void An_empty_folder_is_called_empty()
    {
        using var folder = new ImageFolder();
        Assert.StartsWith($"{folder.Root} is empty: expected are train/<class>/<image>", folder.Mistake());
    }

    [Fact]
    public void A_file_is_no_folder()
    {
        using var folder = new ImageFolder().With("train/a/1.png");
        var mistake = Assert.Throws<UserMistakeException>(() => Datasets.Open($"imagefolder:{folder.PathOf("train/a/1.png")}", 1, folder.Cache));
        Assert.Contains("is a file: name the folder that holds train and val", mistake.Message);
        Assert.Contains("there is no folder", Assert.Throws<UserMistakeException>(() => Datasets.Open($"imagefolder:{folder.PathOf("nowhere")}", 1, folder.Cache)).Message);
    }

    [Fact]
    public void Who_names_the_training_split_is_told_its_parent()
    {
        using var folder = new ImageFolder().With("train/a/1.png");
        var mistake = Assert.Throws<UserMistakeException>(() => Datasets.Open($"imagefolder:{folder.PathOf("train")}", 1, folder.Cache)).Message;
        Assert.Equal($"{folder.PathOf("train")} is one split of a set: write imagefolder:{folder.Root}", mistake);
    }

    [Fact]
    public void Training_images_without_class_folders_are_refused()
    {
        using var folder = new ImageFolder().With("train/1.png");
        Assert.StartsWith($"{folder.PathOf("train")} holds no folder: expected are", folder.Mistake());
    }

    [Fact]
    public void Test_images_without_a_class_are_refused()
    {
        using var folder = new ImageFolder().With("train/a/1.png", "val/1.png");
        Assert.StartsWith($"{folder.PathOf("val")} holds images that have no class: put them into folders of their classes, or one of ILSVRC2012_validation_ground_truth.txt", folder.Mistake());
    }

    [Theory]
    [InlineData("train/a")]
    [InlineData("train/a/inner")]
    [InlineData("train")]
    public void A_folder_that_may_not_be_read_is_named(string closed)
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may read everything");
        using var folder = new ImageFolder().With("train/a/inner/1.png", "train/a/2.png");
        File.SetUnixFileMode(folder.PathOf(closed), UnixFileMode.None);
        try
        {
            Assert.StartsWith($"{folder.PathOf(closed)} cannot be read (permission denied)", folder.Mistake());
        }
        finally
        {
            File.SetUnixFileMode(folder.PathOf(closed), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData("imagefolder")]
    [InlineData("imagefolder:")]
    [InlineData("cifar100")]
    [InlineData("mnist:")]
    [InlineData("fashion-mnist")]
    public void A_set_that_people_bring_needs_a_folder(string spec) =>
        Assert.Equal($"data set '{spec}' names no folder: write {spec.TrimEnd(':')}:DIR", Assert.Throws<UserMistakeException>(() => Datasets.Open(spec, 1)).Message);
}
