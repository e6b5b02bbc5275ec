using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Shards;

namespace Cluster.Workers.Data;

/// <summary>One reading of a shard from its first sample to its last.</summary>
/// <param name="AllocatedBytes">By all threads of the process.</param>
public readonly record struct ShardPass(int Samples, TimeSpan Time, long AllocatedBytes);

/// <summary>A pack of noise in one shard, made to be read: for measurements. The folder is the caller's to delete.</summary>
public sealed class ShardMeasurement
{
    private readonly ShardIndex _index;
    private readonly string _directory;

    private ShardMeasurement(ShardIndex index, string directory) => (_index, _directory) = (index, directory);

    /// <summary>Absolute.</summary>
    public string ShardPath => Path.Combine(_directory, _index.Shards[0].Name);

    public long ShardBytes => _index.Shards[0].Length;

    /// <param name="directory">Empty, or not there.</param>
    /// <param name="bytes">Of the shard, about.</param>
    /// <param name="imageBytes">Of each of its images.</param>
    /// <exception cref="UserMistakeException">No room.</exception>
    public static ShardMeasurement Make(string directory, long bytes, int imageBytes, CancellationToken stop)
    {
        var count = (int)(bytes / ShardWriter.SampleBytes(imageBytes));
        var source = new PackSource("noise", ["noise"], [new PackSplit("train", new Noise(count, imageBytes), "noise"), new PackSplit("val", new Noise(1, imageBytes), "noise")]);
        new ShardPacker(source, directory, new PackOptions(2 * bytes), static () => new PlainCopy()).Run(stop);
        return new ShardMeasurement(ShardFolder.Open(directory, directory).Train, Path.GetFullPath(directory));
    }

    /// <summary>Reads every sample in order on the calling thread, as evaluation does, with a cache that is empty at first.</summary>
    public ShardPass Read(int passes = 1)
    {
        using var images = new ShardImages(_index, _directory, _index.Order.WindowBlocks + Limits.SpareShardBlocks, "bench");
        var buffer = new byte[_index.Samples[0].Length];
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var begun = Stopwatch.GetTimestamp();
        for (var pass = 0; pass < passes; pass++)
        {
            // Memory of all blocks is there after the first pass.
            if (pass > 0 && pass == passes - 1) allocated = GC.GetTotalAllocatedBytes(precise: true);
            if (pass == passes - 1) begun = Stopwatch.GetTimestamp();
            for (var sample = 0; sample < images.Count; sample++) images.Read(sample, ref buffer);
        }
        var time = Stopwatch.GetElapsedTime(begun);
        return new ShardPass(images.Count, time, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }

    private sealed class Noise(int count, int bytes) : IEncodedImages
    {
        public int Count => count;

        public int LabelOf(int sample) => 0;

        public string PlaceOf(int sample) => $"noise {sample}";

        public int Read(int sample, ref byte[] buffer)
        {
            if (buffer.Length < bytes) buffer = new byte[bytes];
            new Random(sample).NextBytes(buffer.AsSpan(0, bytes));
            (buffer[0], buffer[1], buffer[2]) = (0xFF, 0xD8, 0xFF);
            return bytes;
        }
    }
}
