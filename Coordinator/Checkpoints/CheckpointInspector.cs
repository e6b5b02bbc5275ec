using System.Security.Cryptography;
using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>Says whether a folder holds a whole checkpoint, and whether it fits. Links are refused, nothing outside the folder is read.</summary>
internal static class CheckpointInspector
{
    /// <param name="expected">The model's layout; null takes any.</param>
    /// <param name="contents">Whether to hash the files; else their sizes must do.</param>
    /// <exception cref="CheckpointDamagedException">Torn, damaged or hostile.</exception>
    /// <exception cref="StateMismatchException">Of another model.</exception>
    /// <exception cref="SafeTensorsException">Its model.safetensors has the right hash and is malformed all the same.</exception>
    public static (CheckpointInfo Info, RunPosition Position) Inspect(string folder, ParameterLayout? expected, bool contents)
    {
        try
        {
            return InspectCore(folder, expected, contents);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointDamagedException(folder, $"it cannot be read: {Printable.Cause(e)}", e);
        }
    }

    private static (CheckpointInfo Info, RunPosition Position) InspectCore(string folder, ParameterLayout? expected, bool contents)
    {
        var directory = new DirectoryInfo(folder);
        if (!directory.Exists) throw new CheckpointDamagedException(folder, "it is not a folder");
        if (directory.LinkTarget is not null) throw new CheckpointDamagedException(folder, "it is a symbolic link; a checkpoint is a folder of its own");
        if (!CheckpointFormat.TryParseFolder(directory.Name, out var step)) throw new CheckpointDamagedException(folder, "its name is not step-NNNNNN");

        var manifest = CheckpointManifest.Parse(folder, ReadSmall(folder, CheckpointFormat.ManifestName, CheckpointFormat.MaxManifestBytes));
        if (manifest.Step != step) throw new CheckpointDamagedException(folder, $"its {CheckpointFormat.ManifestName} is of step {manifest.Step}");
        foreach (var file in manifest.Files)
        {
            var found = Plain(folder, file.Name);
            if (found.Length != file.Bytes) throw new CheckpointDamagedException(folder, $"{file.Name} has {found.Length} bytes, {CheckpointFormat.ManifestName} says {file.Bytes}");
        }
        var run = manifest.Files.First(static f => f.Name == CheckpointFormat.RunName);
        var runBytes = ReadSmall(folder, CheckpointFormat.RunName, CheckpointFormat.MaxRunBytes);
        ThrowIfHashDiffers(folder, run, SHA256.HashData(runBytes));
        var position = RunPosition.Parse(folder, runBytes);
        if (position.Step != manifest.Step || position.LayoutHash != manifest.LayoutHash)
            throw new CheckpointDamagedException(folder, $"{CheckpointFormat.RunName} and {CheckpointFormat.ManifestName} tell of different steps or layouts");

        if (expected is not null && expected.Hash != manifest.LayoutHash) throw LayoutDiffers(folder, expected);
        if (contents)
        {
            foreach (var file in manifest.Files)
                if (file != run) ThrowIfHashDiffers(folder, file, HashOf(Path.Combine(folder, file.Name)));
        }
        var info = new CheckpointInfo(folder, new WeightsVersion(step), position.AppliedSteps, manifest.LayoutHash, manifest.Files.Sum(static f => f.Bytes), position.TestAccuracy);
        return (info, position);
    }

    /// <summary>A regular file in the folder: no link, and there.</summary>
    private static FileInfo Plain(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        if (file.LinkTarget is not null) throw new CheckpointDamagedException(folder, $"{name} is a symbolic link");
        if (!file.Exists) throw new CheckpointDamagedException(folder, $"{name} is missing");
        return file;
    }

    private static byte[] ReadSmall(string folder, string name, int most)
    {
        var length = Plain(folder, name).Length;
        // A pipe has length 0: refused before it is opened, which would wait for its writer.
        if (length is 0 || length > most) throw new CheckpointDamagedException(folder, $"{name} has {length} bytes, 1 to {most} are wanted");
        using var file = File.OpenHandle(Path.Combine(folder, name));
        var bytes = new byte[length];
        var read = 0;
        while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is > 0 and var more) read += more;
        return bytes[..read];
    }

    private static byte[] HashOf(string path)
    {
        using var stream = new FileStream(path, new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = 0 });
        return SHA256.HashData(stream);
    }

    private static void ThrowIfHashDiffers(string folder, ManifestFile file, byte[] hash)
    {
        if (Convert.ToHexStringLower(hash) != file.Sha256)
            throw new CheckpointDamagedException(folder, $"{file.Name} has SHA-256 {Convert.ToHexStringLower(hash)}, {CheckpointFormat.ManifestName} says {file.Sha256}");
    }

    private static ClusterException LayoutDiffers(string folder, ParameterLayout expected)
    {
        using var model = SafeTensorsReader.Open(Path.Combine(folder, CheckpointFormat.ModelName));
        var comparison = new StateComparison();
        comparison.CompareModel(model, expected, StateFileKind.Checkpoint);
        return (ClusterException?)comparison.AsException(folder) ?? SameTensorsOtherLayout(folder);
    }

    public static CheckpointDamagedException SameTensorsOtherLayout(string folder) =>
        new(folder, "its layout has the same tensors in another order, or with other weight-decay groups: use the model and recipe that it was saved from");
}
