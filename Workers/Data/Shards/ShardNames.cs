using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>What the files of a packed set are called.</summary>
internal static class ShardNames
{
    public const string SetName = "shards";

    /// <summary>What a pack says about itself: where it came from and how it was made.</summary>
    public const string Manifest = "pack.json";

    /// <summary>Which shards are whole, while packing.</summary>
    public const string Journal = "pack.journal";

    public const string Partial = ".partial";

    public static readonly string[] Splits = ["train", "val"];

    public static string Index(string split) => split + ".index";

    public static string Shard(string split, int number) => string.Create(CultureInfo.InvariantCulture, $"{split}-{number:D6}.tar");

    /// <summary>WebDataset's key of a sample: its number in the split.</summary>
    public static string Key(int number) => number.ToString("D9", CultureInfo.InvariantCulture);

    /// <summary>The archives of a split, of whoever made them: <c>train*.tar</c>, or <c>…-train-….tar</c>; by name.</summary>
    /// <param name="split"><c>train</c> or <c>val</c>; <c>test</c> and <c>validation</c> are taken for val.</param>
    public static List<string> Find(string directory, string split)
    {
        var names = Directory.EnumerateFiles(directory, "*.tar").Select(Path.GetFileName).OfType<string>()
            .Where(name => SplitOf(name) == split).Order(StringComparer.Ordinal).Take(Limits.MaxShardFiles + 1).ToList();
        return names.Count <= Limits.MaxShardFiles ? names : throw new UserMistakeException($"{directory} holds more than {Limits.MaxShardFiles} shards of {split}");
    }

    private static string? SplitOf(string name)
    {
        foreach (var word in name[..^4].Split('-', '_', '.'))
        {
            switch (word)
            {
                case "train" or "training":
                    return "train";
                case "val" or "valid" or "validation" or "test":
                    return "val";
            }
        }
        return null;
    }
}
