using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>One file of a checkpoint.</summary>
/// <param name="Sha256">Lower-case hex.</param>
internal sealed record ManifestFile(string Name, long Bytes, string Sha256);

/// <summary>MANIFEST.json: written last, so that a folder that has it has everything else.</summary>
internal sealed record CheckpointManifest(long Step, string LayoutHash, IReadOnlyList<ManifestFile> Files)
{
    private const string Format = "cluster-checkpoint";

    // Depth 4: the object, its files, one file, a value of it.
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public byte[] ToJson()
    {
        var files = new JsonObject();
        foreach (var file in Files) files[file.Name] = new JsonObject { ["bytes"] = file.Bytes, ["sha256"] = file.Sha256 };
        var json = new JsonObject { ["format"] = Format, ["version"] = CheckpointFormat.Version, ["step"] = Step, ["layout_sha256"] = LayoutHash, ["files"] = files };
        return JsonSerializer.SerializeToUtf8Bytes(json, Indented);
    }

    /// <exception cref="CheckpointDamagedException">Anything else than a well-formed manifest of this version.</exception>
    public static CheckpointManifest Parse(string folder, byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return Parse(folder, document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new CheckpointDamagedException(folder, $"{CheckpointFormat.ManifestName} is not valid: {Printable.OneLine(e.Message)}", e);
        }
    }

    private static CheckpointManifest Parse(string folder, JsonElement root)
    {
        if (root.GetProperty("format").GetString() != Format) throw new CheckpointDamagedException(folder, $"{CheckpointFormat.ManifestName} is not a {Format}'s");
        var version = root.GetProperty("version").GetInt32();
        if (version != CheckpointFormat.Version)
            throw new CheckpointDamagedException(folder, $"its format is version {version}, this program reads version {CheckpointFormat.Version}");
        var files = new List<ManifestFile>();
        foreach (var property in root.GetProperty("files").EnumerateObject())
        {
            var file = new ManifestFile(property.Name, property.Value.GetProperty("bytes").GetInt64(), property.Value.GetProperty("sha256").GetString() ?? "");
            if (!CheckpointFormat.IsFileName(file.Name)) throw new CheckpointDamagedException(folder, $"{CheckpointFormat.ManifestName} names {Printable.Quoted(file.Name)}, which is not a plain file name");
            if (file.Bytes <= 0 || !CheckpointFormat.IsSha256(file.Sha256))
                throw new CheckpointDamagedException(folder, $"{CheckpointFormat.ManifestName} holds no usable size and SHA-256 of {file.Name}");
            files.Add(file);
        }
        foreach (var name in CheckpointFormat.RequiredFiles)
            if (!files.Exists(f => f.Name == name)) throw new CheckpointDamagedException(folder, $"{CheckpointFormat.ManifestName} does not name {name}");
        var layout = root.GetProperty("layout_sha256").GetString() ?? "";
        var step = root.GetProperty("step").GetInt64();
        if (step < 0 || !CheckpointFormat.IsSha256(layout)) throw new CheckpointDamagedException(folder, $"{CheckpointFormat.ManifestName} holds no usable step and layout");
        return new CheckpointManifest(step, layout, files);
    }
}

/// <summary>run.json: where the run was, and the caller's facts.</summary>
internal sealed record RunPosition(long Step, long AppliedSteps, string LayoutHash, JsonObject Facts)
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>0 to 1 out of the facts; null when they hold none.</summary>
    public double? TestAccuracy => Facts["test_accuracy"] is JsonValue value && value.TryGetValue<double>(out var accuracy) && double.IsFinite(accuracy) ? accuracy : null;

    public byte[] ToJson()
    {
        var json = new JsonObject
        {
            ["step"] = Step,
            ["version"] = Step,
            ["applied_steps"] = AppliedSteps,
            ["layout_sha256"] = LayoutHash,
            ["facts"] = Facts.DeepClone(),
        };
        return JsonSerializer.SerializeToUtf8Bytes(json, Indented);
    }

    /// <summary>Names and texts are decoded when they are asked for: what cannot be is found here, not by whoever asks.</summary>
    private static void ReadAll(JsonNode? node)
    {
        if (node is JsonObject members)
            foreach (var (_, value) in members) ReadAll(value);
        else if (node is JsonArray items)
            foreach (var item in items) ReadAll(item);
        else if (node?.GetValueKind() == JsonValueKind.String) _ = node.GetValue<string>();
    }

    /// <exception cref="CheckpointDamagedException">Anything else than a well-formed run.json.</exception>
    public static RunPosition Parse(string folder, byte[] json)
    {
        try
        {
            var root = JsonNode.Parse(json, documentOptions: Strict)?.AsObject() ?? throw new FormatException("null");
            long Number(string name) => root[name]?.GetValue<long>() ?? throw new FormatException($"{name} is missing");
            var position = new RunPosition(
                Number("step"), Number("applied_steps"), root["layout_sha256"]?.GetValue<string>() ?? "", root["facts"]?.AsObject() ?? throw new FormatException("facts is missing"));
            if (position.Step != Number("version") || position.AppliedSteps < 0 || position.AppliedSteps > position.Step) throw new FormatException("its numbers contradict each other");
            root.Remove("facts");
            ReadAll(position.Facts);
            return position;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new CheckpointDamagedException(folder, $"{CheckpointFormat.RunName} is not valid: {Printable.OneLine(e.Message)}", e);
        }
    }
}
