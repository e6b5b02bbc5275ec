namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>A folder that should hold CIFAR-10 and does not: exit code 2, the file and what is wrong with it, nothing left behind.</summary>
public sealed class CifarFolderSpecs : IDisposable
{
    private const long BatchBytes = 30_730_000;

    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_missing_batch_file_is_named() => Fails("data_batch_1.bin is missing");

    [Theory]
    [InlineData(0, "has 0 bytes, expected 30,730,000: it is cut short")]
    [InlineData(BatchBytes - 1, "has 30,729,999 bytes, expected 30,730,000: it is cut short")]
    [InlineData(BatchBytes + 1, "has 30,730,001 bytes, expected 30,730,000: it is too long")]
    [InlineData(BatchBytes, "has MD5 ")]
    public void A_batch_file_of_another_size_or_content_is_named_with_what_it_has(long bytes, string expected)
    {
        Directory.CreateDirectory(_world.PathOf("set"));
        using (var file = File.Create(_world.PathOf("set/data_batch_1.bin"))) file.SetLength(bytes);
        Fails(expected);
    }

    private void Fails(string expected)
    {
        Directory.CreateDirectory(_world.PathOf("set"));
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "train", "--data", "cifar10:set", "--steps", "2", "--out", "run");
        Assert.Equal(2, outcome.ExitCode);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.StartsWith($"cluster: {_world.PathOf("set/data_batch_1.bin")}", line);
        Assert.Contains(expected, line);
        Assert.False(Path.Exists(_world.PathOf("run")));
    }
}
