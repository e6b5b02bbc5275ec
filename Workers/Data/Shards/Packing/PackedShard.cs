using Cluster.Contracts;
using Cluster.Workers.Data.Images;

namespace Cluster.Workers.Data.Shards;

/// <summary>A shard that an earlier call finished.</summary>
internal static class PackedShard
{
    /// <summary>Reads the shard whole; null when it is not what was noted, or not what would be packed now.</summary>
    /// <param name="noted">Its length and checksum when it was finished.</param>
    /// <param name="first">Position of its first sample in the order.</param>
    public static List<ShardSample>? Read(string directory, ShardFile noted, int number, int first, SampleOrder? order, IEncodedImages images)
    {
        try
        {
            using var file = new FileStream(Path.Combine(directory, noted.Name), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
            if (file.Length != noted.Length) return null;
            using var tar = new TarScanner(file);
            var reading = new ShardReading(tar, number);
            while (tar.Next() is { } entry) reading.Take(entry);
            reading.EndSample();
            if (Convert.ToHexStringLower(tar.Sha256()) != noted.Sha256 || reading.Samples.Count != noted.Samples || noted.Samples > images.Count - first) return null;
            for (var i = 0; i < reading.Samples.Count; i++)
                if (order is null || reading.Samples[i].Label != images.LabelOf(order.SampleAt(first + i))) return null;
            return reading.Samples;
        }
        catch (Exception e) when (e is TarFormatException or FileNotFoundException)
        {
            return null;
        }
    }
}
