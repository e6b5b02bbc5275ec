using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Folders;

namespace Cluster.Data.Tests.Folders;

/// <summary>Samples of a folder: what they say of themselves, and what happens when files change under a run.</summary>
public class ImageFolderDatasetSpecs
{
    [Fact]
    public void Both_splits_say_what_they_are()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var (train, test) = folder.Open();
        Assert.Equal(("imagefolder", "train", 4, 2), (train.Name, train.Split, train.Count, train.ClassCount));
        Assert.Equal(("imagefolder", "test", 2, 2), (test.Name, test.Split, test.Count, test.ClassCount));
        Assert.Equal(new ImageShape(3, 8, 8), train.Shape);
        Assert.Equal([0, 0, 1, 1], Enumerable.Range(0, 4).Select(train.LabelOf));
        Assert.Equal([0.485, 0.456, 0.406], train.Mean);
        Assert.Equal([0.229, 0.224, 0.225], test.Std);
        Assert.Equal((new ImageShape(3, 8, 8), 2), Datasets.Describe(folder.Request));
        Assert.Throws<ArgumentOutOfRangeException>(() => train.LabelOf(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => train.LabelOf(-1));
    }

    [Fact]
    public void Samples_are_read_through_the_decoder_on_any_thread()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var (train, _) = folder.Open();
        var source = train.With(new AugmentationOptions { Flip = true }, 1);
        var all = new float[4][];
        Parallel.For(0, 4, sample =>
        {
            using var reader = source.Open();
            all[sample] = new float[train.Shape.Floats];
            Assert.Equal(sample / 2, reader.ReadEvaluation(sample, all[sample]));
            Assert.Equal(sample / 2, reader.ReadTraining(0, sample, new float[train.Shape.Floats]));
        });
        Assert.All(all, image => Assert.Equal(all[0], image));      // the files are the same
    }

    [Fact]
    public void Pixels_are_what_evaluation_sees()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var (train, _) = folder.Open();
        var (pixels, floats) = (new byte[train.Shape.Floats], new float[train.Shape.Floats]);
        Assert.Equal(1, train.Read(2, pixels));
        using var reader = train.With(new AugmentationOptions(), 1).Open();
        reader.ReadEvaluation(2, floats);
        for (var i = 0; i < floats.Length; i++)
        {
            var channel = i / 64;
            Assert.Equal((pixels[i] / 255.0 - train.Mean[channel]) / train.Std[channel], floats[i], 1e-5);
        }
        Assert.Throws<ArgumentException>(() => train.Read(0, new byte[train.Shape.Floats - 1]));
    }

    [Fact]
    public void A_file_that_vanished_is_one_sample_that_cannot_be_read()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var (train, _) = folder.Open();
        File.Delete(folder.PathOf("train/bee/1.png"));
        Assert.Equal($"{folder.PathOf("train/bee/1.png")} is gone since the index was made", Unreadable(train, 2));
        Readable(train, 3);
    }

    [Fact]
    public void A_file_of_another_size_is_refused()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var (train, _) = folder.Open();
        folder.With("train/bee/1.png", [.. ImageFolder.Png, 1]);
        Assert.Contains($"was changed since the index was made: it has {ImageFolder.Png.Length + 1:N0} bytes, had {ImageFolder.Png.Length:N0}", Unreadable(train, 2));
        Readable(train, 3);
    }

    [Fact]
    public void A_file_that_was_overwritten_by_one_of_the_same_size_is_refused()
    {
        using var folder = ImageFolder.OfTwoClasses();
        File.SetLastWriteTimeUtc(folder.PathOf("train/bee/1.png"), DateTime.UtcNow.AddDays(-1));
        var (train, _) = folder.Open();
        folder.With("train/bee/1.png");
        Assert.EndsWith("was changed since the index was made: its time of change is another one", Unreadable(train, 2));
    }

    [Fact]
    public void A_folder_in_the_place_of_a_file_is_refused_and_a_damaged_file_too()
    {
        using var folder = ImageFolder.OfTwoClasses().With("train/bee/1.png", ImageFolder.JpegHeader(20, 20)).With("train/ant/1.png", ImageFolder.Png[..^20]);
        var (train, _) = folder.Open();
        Assert.StartsWith(folder.PathOf("train/bee/1.png"), Unreadable(train, 2));
        Assert.StartsWith(folder.PathOf("train/ant/1.png"), Unreadable(train, 0));
        File.Delete(folder.PathOf("train/ant/2.png"));
        Directory.CreateDirectory(folder.PathOf("train/ant/2.png"));
        Assert.Contains("was changed", Unreadable(train, 1));
    }

    [Fact]
    public void What_its_header_calls_no_image_is_not_opened_at_all()
    {
        using var folder = ImageFolder.OfTwoClasses().WithText("train/bee/1.png", "a text").WithText("train/bee/2.png", "");
        var (train, _) = folder.Open();
        Assert.EndsWith("1.png is no image", Unreadable(train, 2));
        Assert.EndsWith("2.png is empty", Unreadable(train, 3));
    }

    [Fact]
    public void A_folder_that_is_gone_is_no_matter_of_one_sample()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var (train, _) = folder.Open();
        Directory.Move(folder.Root, folder.Root + "-away");
        using var reader = train.With(new AugmentationOptions(), 1).Open();
        var e = Assert.Throws<ClusterException>(() => reader.ReadEvaluation(0, new float[train.Shape.Floats]));
        Assert.Contains($"the data set's folder {folder.Root} is gone", e.Message);
        Directory.Move(folder.Root + "-away", folder.Root);
        reader.ReadEvaluation(0, new float[train.Shape.Floats]);
    }

    [Fact]
    public void Reading_the_bytes_again_and_again_allocates_no_buffers()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var index = folder.Index();
        var images = new FolderImages(folder.Root, index.Train, new HashSet<string>());
        var buffer = new byte[0];
        for (var i = 0; i < 8; i++) images.Read(i % 4, ref buffer);
        var kept = buffer;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Assert.Equal(ImageFolder.Png.Length, images.Read(i % 4, ref buffer));
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
        Assert.Same(kept, buffer);
        Assert.Equal(ImageFolder.Png, buffer[..ImageFolder.Png.Length]);
        Assert.True(each < 1_024, $"{each} bytes are allocated per image: more than a handle and what it is asked");
    }

    [Theory]
    [InlineData("pad-crop")]
    [InlineData("cutout")]
    public void Augmentation_of_images_of_one_size_is_refused(string option)
    {
        using var folder = ImageFolder.OfTwoClasses();
        var options = option == "cutout" ? new AugmentationOptions { Cutout = 4 } : new AugmentationOptions { PadCrop = 4 };
        Assert.Contains(option, Assert.Throws<UserMistakeException>(() => folder.Open().Train.With(options, 1)).Message);
    }

    private static string Unreadable(IDataset set, int sample)
    {
        using var reader = set.With(new AugmentationOptions(), 1).Open();
        var e = Assert.Throws<UnreadableSampleException>(() => reader.ReadTraining(0, sample, new float[set.Shape.Floats]));
        Assert.Equal(sample, e.Sample);
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    private static void Readable(IDataset set, int sample)
    {
        using var reader = set.With(new AugmentationOptions(), 1).Open();
        reader.ReadTraining(0, sample, new float[set.Shape.Floats]);
    }
}
