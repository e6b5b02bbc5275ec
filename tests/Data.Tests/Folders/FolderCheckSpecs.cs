using System.Buffers.Binary;
using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Folders;

namespace Cluster.Data.Tests.Folders;

/// <summary>Every image is decoded; what cannot be is named, and is no sample from then on.</summary>
public class FolderCheckSpecs
{
    [Fact]
    public void A_sound_folder_has_no_skip_list()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var report = Check(folder);
        Assert.Empty(report.Bad);
        Assert.Null(report.SkipList);
        Assert.Equal((4, 2, 2, 4), (report.Train, report.Test, report.Classes, report.TrainLeft));
        Assert.Equal([folder.CacheOf().IndexPath], Directory.EnumerateFiles(folder.CacheOf().Folder));
    }

    [Fact]
    public void Every_kind_of_bad_file_is_named_with_its_reason()
    {
        var large = (byte[])ImageFolder.Png.Clone();
        BinaryPrimitives.WriteInt32BigEndian(large.AsSpan(16), 30_000);
        BinaryPrimitives.WriteInt32BigEndian(large.AsSpan(20), 30_000);
        var flipped = (byte[])ImageFolder.Png.Clone();
        flipped[^20] ^= 0xFF;
        using var folder = ImageFolder.OfTwoClasses().WithText("train/ant/a empty.jpg", "").WithText("train/ant/b text.jpg", "text").With("train/ant/c cut.png", ImageFolder.Png[..^16])
            .With("train/ant/d flipped.png", flipped).With("train/ant/e large.png", large).With("train/ant/f header.jpg", ImageFolder.JpegHeader(20, 20)).WithText("val/bee/g.webp", "RIFF....WEBPVP8 ");
        var report = Check(folder);
        Assert.Equal(["train/ant/a empty.jpg", "train/ant/b text.jpg", "train/ant/c cut.png", "train/ant/d flipped.png", "train/ant/e large.png", "train/ant/f header.jpg", "val/bee/g.webp"], report.Bad.Select(static bad => bad.Path));
        Assert.All(report.Bad, bad =>
        {
            Assert.NotEmpty(bad.Reason);
            Assert.DoesNotContain(folder.Root, bad.Reason);
            Assert.DoesNotContain('\n', bad.Line);
        });
        Assert.Equal("is empty", report.Bad[0].Reason);
        Assert.Contains("30,000x30,000 pixels", report.Bad[4].Reason);
        Assert.Equal("is neither JPEG nor PNG, and no other format is decoded", report.Bad[6].Reason);
    }

    [Fact]
    public void A_png_that_is_called_jpg_is_sound()
    {
        using var folder = ImageFolder.OfTwoClasses().With("train/ant/mislabelled.jpg");
        Assert.Empty(Check(folder).Bad);
    }

    [Fact]
    public void Images_on_the_skip_list_are_no_samples()
    {
        using var folder = ImageFolder.OfTwoClasses().WithText("train/ant/1.png", "text").WithText("val/bee/3.png", "");
        var before = folder.Open();
        Assert.Equal((4, 2), (before.Train.Count, before.Test.Count));
        var report = Check(folder);
        Assert.Equal(Path.GetDirectoryName(folder.CacheOf().IndexPath), Path.GetDirectoryName(report.SkipList));
        var (train, test) = folder.Open();
        Assert.Equal((3, 1), (train.Count, test.Count));
        Assert.Equal([0, 1, 1], Enumerable.Range(0, 3).Select(train.LabelOf));
        Assert.Equal([0], Enumerable.Range(0, 1).Select(test.LabelOf));
        using var reader = train.With(new AugmentationOptions(), 1).Open();
        for (var sample = 0; sample < 3; sample++) reader.ReadEvaluation(sample, new float[train.Shape.Floats]);
        Assert.NotEqual(before.Train.Fingerprint, train.Fingerprint);
        Assert.Empty(Directory.EnumerateFiles(folder.Root, "*skip*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_skip_list_that_is_copied_to_another_machine_holds_there()
    {
        using var here = ImageFolder.OfTwoClasses().WithText("train/ant/one\ntwo.png", "text");
        using var there = ImageFolder.OfTwoClasses().WithText("train/ant/one\ntwo.png", "text");
        var list = Check(here).SkipList!;
        Assert.NotEqual(here.Open().Train.Fingerprint, there.Open().Train.Fingerprint);
        File.Copy(list, Path.Combine(there.CacheOf().Folder, Path.GetFileName(list)));
        Assert.Equal(here.Open().Train.Fingerprint, there.Open().Train.Fingerprint);
        Assert.Equal(4, there.Open().Train.Count);
    }

    [Fact]
    public void A_list_of_other_content_is_not_taken()
    {
        using var folder = ImageFolder.OfTwoClasses().WithText("train/ant/1.png", "text");
        Check(folder);
        folder.With("train/bee/9.png");
        Assert.Equal(5, folder.Open().Train.Count);
    }

    [Fact]
    public void What_was_mended_is_a_sample_again()
    {
        // Of the same size, so that it is the same content as far as the index can tell.
        using var folder = ImageFolder.OfTwoClasses().With("train/ant/1.png", new byte[ImageFolder.Png.Length]);
        var bad = Check(folder);
        Assert.Equal("train/ant/1.png", Assert.Single(bad.Bad).Path);
        folder.With("train/ant/1.png");
        var good = Check(folder);
        Assert.Empty(good.Bad);
        Assert.Equal(1, good.SkippedBefore);
        Assert.False(File.Exists(bad.SkipList));
        Assert.Equal(4, folder.Open().Train.Count);
    }

    [Fact]
    public void Checking_twice_finds_the_same()
    {
        using var folder = ImageFolder.OfTwoClasses().WithText("train/ant/1.png", "text");
        var (first, second) = (Check(folder), Check(folder));
        Assert.Equal(first.Bad, second.Bad);
        Assert.Equal(first.SkipList, second.SkipList);
        Assert.Equal(1, second.SkippedBefore);
    }

    [Fact]
    public void A_line_of_a_skip_list_that_is_none_is_a_mistake_with_its_number()
    {
        using var folder = ImageFolder.OfTwoClasses().WithText("train/ant/1.png", "text");
        var list = Check(folder).SkipList!;
        File.AppendAllText(list, "train/a\\q.png\n");
        Assert.StartsWith($"{list} line 3: a backslash begins no escape", Assert.Throws<UserMistakeException>(() => folder.Open()).Message);
        Check(folder);
        Assert.Equal(3, folder.Open().Train.Count);
    }

    [Fact]
    public void Without_one_good_training_image_the_set_cannot_be_opened()
    {
        using var folder = new ImageFolder().With("val/a/1.png").WithText("train/a/1.png", "text");
        Assert.Equal(0, Check(folder).TrainLeft);
        Assert.Contains("every training image of", Assert.Throws<UserMistakeException>(() => folder.Open()).Message);
    }

    [Fact]
    public void A_list_that_cannot_be_written_is_a_mistake()
    {
        using var folder = ImageFolder.OfTwoClasses().WithText("train/ant/1.png", "text");
        File.WriteAllText(folder.Cache, "a file where the folder should be");
        Assert.Contains("set CLUSTER_CACHE to a folder that can be", Assert.Throws<UserMistakeException>(() => Check(folder)).Message);
    }

    [Fact]
    public void A_folder_that_vanishes_during_the_check_ends_it()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var away = folder.Root + "-away";
        var request = folder.Request with { Progress = new RecordedProgress(progress => { if (progress.Phase.StartsWith("indexed", StringComparison.Ordinal)) Directory.Move(folder.Root, away); }) };
        Assert.Contains("is gone", Assert.Throws<ClusterException>(() => ImageFolderSource.Check(request, CancellationToken.None)).Message);
        Directory.Delete(away, recursive: true);
    }

    [Fact]
    public void Real_images_with_some_damaged_ones_among_them()
    {
        var real = Directory.EnumerateFiles(Path.Combine(ImageFolder.Real("imagenet-sample"), "train"), "*.JPEG", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(6).Select(File.ReadAllBytes).ToList();
        using var folder = new ImageFolder();
        for (var i = 0; i < real.Count; i++) folder.With($"train/a/{i}.JPEG", real[i]);
        folder.With("train/a/cut.JPEG", real[0][..(real[0].Length * 2 / 3)]);
        folder.With("train/a/end.JPEG", real[1][..^64]);
        Assert.Equal(["train/a/cut.JPEG", "train/a/end.JPEG"], Check(folder).Bad.Select(static bad => bad.Path));
    }

    private static ImageFolderReport Check(ImageFolder folder) => ImageFolderSource.Check(folder.Request, CancellationToken.None);
}
