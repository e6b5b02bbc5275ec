using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>Says of a folder that it is a pack, and of what: packing goes on only with what it was begun with.</summary>
internal static class PackManifest
{
    private const string Format = "cluster shards 1";

    public static string Write(PackSource source, PackOptions options)
    {
        var json = new JsonObject
        {
            ["format"] = Format,
            ["classes"] = source.ClassNames.Count,
            ["shard-size"] = options.ShardBytes,
            ["resize"] = options.Resize,
        };
        // Without resizing nothing is encoded, so the quality says nothing.
        if (options.Resize > 0) json["quality"] = options.Quality;
        foreach (var split in source.Splits)
        {
            json[$"{split.Name}-samples"] = split.Images.Count;
            json[$"{split.Name}-source"] = split.Fingerprint;
        }
        return json.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n";
    }

    /// <summary>Null when the folder's pack is this one; else one line that completes "OUT …".</summary>
    /// <param name="found">The text of the folder's manifest.</param>
    public static string? Difference(string found, string wanted)
    {
        if (found == wanted) return null;
        try
        {
            if (JsonNode.Parse(found) is not JsonObject there || (string?)there["format"] != Format) return $"holds a {ShardNames.Manifest} that this program did not write";
            var here = JsonNode.Parse(wanted)!.AsObject();
            foreach (var (key, value) in here)
            {
                var other = there[key]?.ToJsonString();
                if (other == value?.ToJsonString()) continue;
                return key.EndsWith("-source", StringComparison.Ordinal)
                    ? $"was packed from other images of {key[..^7]}, or they changed since"
                    : string.Create(CultureInfo.InvariantCulture, $"was begun with {key} {other ?? "unset"}, not {value?.ToJsonString()}");
            }
            return "was begun with other options";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            return $"holds a {ShardNames.Manifest} that is damaged";
        }
    }
}
