using Cluster.Cli.Nodes;

namespace Cluster.Cli.Tests.Faults;

public sealed class NodeStartSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Incomplete_copy_of_a_data_set_lacks_one_of_its_files()
    {
        var source = Directory.CreateDirectory(_world.PathOf("whole")).FullName;
        foreach (var name in (string[])["batches.meta.txt", "data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"]) File.WriteAllText(Path.Combine(source, name), name);
        var folder = Directory.CreateDirectory(_world.PathOf("copy")).FullName;
        Assert.Equal("cifar10:" + folder, IncompleteData.Make("cifar10:" + source, folder));
        Assert.Equal(["data_batch_2.bin", "test_batch.bin"], Directory.EnumerateFiles(folder).Select(static f => Path.GetFileName(f)).Order());
        Assert.Equal("test_batch.bin", File.ReadAllText(Path.Combine(folder, "test_batch.bin")));
    }

    [Fact]
    public void Incomplete_copy_of_a_folder_of_images_lacks_the_training_split_and_cannot_be_opened()
    {
        foreach (var split in (string[])["train", "val"]) Directory.CreateDirectory(_world.PathOf($"whole/{split}/a"));
        File.WriteAllText(_world.PathOf("whole/words.txt"), "a thing");
        var folder = Directory.CreateDirectory(_world.PathOf("copy")).FullName;
        var data = IncompleteData.Make("imagefolder:" + _world.PathOf("whole"), folder);
        Assert.Equal("imagefolder:" + folder, data);
        Assert.Equal(["val", "words.txt"], Directory.EnumerateFileSystemEntries(folder).Select(static f => Path.GetFileName(f)).Order());
        Assert.Contains("has no folder train", Assert.Throws<Contracts.UserMistakeException>(() => Workers.Data.Datasets.Open(data, 1, _world.PathOf("cache"))).Message);
    }

    [Fact]
    public void Data_set_that_is_computed_becomes_one_whose_files_are_missing()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("copy")).FullName;
        Assert.Equal("cifar10:" + folder, IncompleteData.Make("synthetic", folder));
        Assert.Empty(Directory.EnumerateFiles(folder));
    }
}
