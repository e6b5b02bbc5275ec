using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Folders;

namespace Cluster.Data.Tests.Folders;

/// <summary>An index is made once, made anew when the folder changed, and never believed when its file is damaged.</summary>
public class FolderIndexCacheSpecs
{
    [Fact]
    public void An_index_is_read_back_as_it_was_made()
    {
        using var folder = ImageFolder.OfTwoClasses().WithText("train/ant/other.txt", "x").WithText("words.txt", "ant\tworker ant").Settled();
        Directory.CreateSymbolicLink(folder.PathOf("train/ant/loop"), folder.PathOf("train"));
        folder.Settled();
        var made = folder.CacheOf().Get();
        var stored = folder.CacheOf().Stored();
        Assert.NotNull(stored);
        Assert.Equal(made.ContentHash, stored.ContentHash);
        Assert.Equal(made.Classes, stored.Classes);
        Assert.Equal(["worker ant", "bee"], stored.ClassNames);
        Assert.Equal(made.Passed, stored.Passed);
        Assert.Single(stored.Passed);
        Assert.Equal(made.OtherFiles, stored.OtherFiles);
        Assert.Equal(made.Watched, stored.Watched);
        foreach (var (a, b) in new[] { (made.Train, stored.Train), (made.Test, stored.Test) })
        {
            Assert.Equal(ImageFolder.Paths(a), ImageFolder.Paths(b));
            Assert.Equal(a.Labels, b.Labels);
            Assert.Equal(a.Facts.Bytes, b.Facts.Bytes);
            Assert.Equal(a.Facts.Ticks, b.Facts.Ticks);
            Assert.Equal(a.Facts.Widths, b.Facts.Widths);
            Assert.Equal(a.Facts.Heights, b.Facts.Heights);
            Assert.Equal(a.Facts.Kinds, b.Facts.Kinds);
        }
    }

    [Fact]
    public void What_is_unchanged_is_not_made_again()
    {
        using var folder = ImageFolder.OfTwoClasses().Settled();
        Assert.True(Datasets.NeedsPreparation(folder.Request.Spec, folder.Cache));
        folder.CacheOf().Get();
        Assert.False(Datasets.NeedsPreparation(folder.Request.Spec, folder.Cache));
        var written = File.GetLastWriteTimeUtc(folder.CacheOf().IndexPath);
        folder.CacheOf().Get();
        Assert.Equal(written, File.GetLastWriteTimeUtc(folder.CacheOf().IndexPath));
    }

    [Theory]
    [InlineData("train/ant/new.png")]
    [InlineData("train/wasp/new.png")]
    [InlineData("val/bee/new.png")]
    public void A_new_file_makes_the_index_old(string path)
    {
        using var folder = ImageFolder.OfTwoClasses().Settled();
        var before = folder.CacheOf().Get();
        folder.With(path);
        Assert.Null(folder.CacheOf().Stored());
        var after = folder.CacheOf().Get();
        Assert.Equal(before.Train.Count + before.Test.Count + 1, after.Train.Count + after.Test.Count);
        Assert.NotEqual(before.ContentHash, after.ContentHash);
    }

    [Fact]
    public void A_removed_file_makes_the_index_old()
    {
        using var folder = ImageFolder.OfTwoClasses().Settled();
        folder.CacheOf().Get();
        File.Delete(folder.PathOf("val/bee/3.png"));
        Assert.Null(folder.CacheOf().Stored());
    }

    [Fact]
    public void A_list_that_was_changed_makes_the_index_old()
    {
        using var folder = new ImageFolder().With("1.png", "2.png").WithText("train.txt", "1.png 0\n2.png 1");
        File.SetLastWriteTimeUtc(folder.PathOf("train.txt"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        folder.Settled().CacheOf().Get();
        Assert.NotNull(folder.CacheOf().Stored());
        File.WriteAllText(folder.PathOf("train.txt"), "1.png 1\n2.png 0");
        Assert.Null(folder.CacheOf().Stored());
        Assert.Equal([1, 0], folder.CacheOf().Get().Train.Labels);
    }

    [Fact]
    public void Files_that_were_all_touched_make_the_index_old()
    {
        using var folder = ImageFolder.OfTwoClasses().Settled();
        folder.CacheOf().Get();
        foreach (var file in Directory.EnumerateFiles(folder.Root, "*.png", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-3));
        Assert.Null(folder.CacheOf().Stored());
    }

    [Fact]
    public void A_folder_that_was_changed_while_it_was_listed_is_listed_again()
    {
        using var folder = ImageFolder.OfTwoClasses();      // just made: its times are now
        folder.CacheOf().Get();
        Assert.Null(folder.CacheOf().Stored());
    }

    [Fact]
    public void A_damaged_index_is_made_anew_wherever_it_is_damaged()
    {
        using var folder = ImageFolder.OfTwoClasses().Settled();
        var made = folder.CacheOf().Get();
        var path = folder.CacheOf().IndexPath;
        var good = File.ReadAllBytes(path);
        for (var at = 0; at < good.Length; at += 7)
        {
            var bad = (byte[])good.Clone();
            bad[at] ^= 0x40;
            File.WriteAllBytes(path, bad);
            Assert.Null(folder.CacheOf().Stored());
            File.WriteAllBytes(path, good[..at]);
            Assert.Null(folder.CacheOf().Stored());
        }
        Assert.Equal(made.ContentHash, folder.CacheOf().Get().ContentHash);
        Assert.NotNull(folder.CacheOf().Stored());
    }

    [Fact]
    public void Many_that_make_one_index_at_once_leave_one_good_file()
    {
        using var folder = ImageFolder.OfTwoClasses().Settled();
        var hashes = new string[8];
        Parallel.For(0, hashes.Length, i => hashes[i] = folder.CacheOf().Make().ContentHash);
        Assert.Single(hashes.Distinct());
        Assert.Equal(hashes[0], folder.CacheOf().Stored()!.ContentHash);
        Assert.Equal([folder.CacheOf().IndexPath], Directory.EnumerateFiles(folder.CacheOf().Folder));
    }

    [Fact]
    public void A_cache_folder_that_cannot_be_written_costs_time_and_nothing_else()
    {
        using var folder = ImageFolder.OfTwoClasses().Settled();
        File.WriteAllText(folder.Cache, "a file where the folder should be");
        var said = new List<string>();
        var index = new FolderIndexCache(folder.Root, folder.Cache, new RecordedProgress(progress => { lock (said) said.Add(progress.Phase); })).Get();
        Assert.Equal(4, index.Train.Count);
        Assert.Contains(said, phase => phase.Contains("the index could not be kept in", StringComparison.Ordinal));
    }

    [Fact]
    public void A_folder_that_was_moved_has_the_same_fingerprint()
    {
        using var folder = ImageFolder.OfTwoClasses();
        using var other = ImageFolder.OfTwoClasses();
        Assert.Equal(folder.Open().Train.Fingerprint, other.Open().Train.Fingerprint);
        Assert.NotEqual(folder.Open().Train.Fingerprint, folder.Open().Test.Fingerprint);
    }

    [Theory]
    [InlineData("train/ant/2.png", "train/ant/22.png")]
    [InlineData("train/ant/2.png", "train/bee/22.png")]
    [InlineData("val/ant/3.png", "val/bee/33.png")]
    public void Another_name_or_class_gives_another_fingerprint(string from, string to)
    {
        using var folder = ImageFolder.OfTwoClasses();
        var before = folder.Open().Train.Fingerprint;
        File.Move(folder.PathOf(from), folder.PathOf(to));
        Assert.NotEqual(before, folder.Open().Train.Fingerprint);
    }

    [Fact]
    public void Another_size_gives_another_fingerprint_and_another_time_does_not()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var before = folder.Open().Train.Fingerprint;
        File.SetLastWriteTimeUtc(folder.PathOf("train/ant/1.png"), DateTime.UtcNow.AddDays(-1));
        Assert.Equal(before, folder.Open().Train.Fingerprint);
        folder.With("train/ant/1.png", [.. ImageFolder.Png, 0]);
        Assert.NotEqual(before, folder.Open().Train.Fingerprint);
    }

    [Fact]
    public void Progress_ends_with_a_sentence_about_what_was_found()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var said = new List<DownloadProgress>();
        new FolderIndexCache(folder.Root, folder.Cache, new RecordedProgress(progress => { lock (said) said.Add(progress); })).Get();
        Assert.Contains(new DownloadProgress("reading headers", 6, 6) { Unit = "images" }, said);
        Assert.Equal($"indexed {folder.Root}: 4 training and 2 test images in 2 classes", said[^1].Phase);
    }

    [Fact]
    public void An_index_that_is_stopped_leaves_nothing()
    {
        using var folder = ImageFolder.OfTwoClasses();
        Assert.ThrowsAny<OperationCanceledException>(() => folder.CacheOf().Get(new CancellationToken(canceled: true)));
        Assert.False(Directory.Exists(folder.Cache));
    }
}
