using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Web;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Configuration;

/// <summary>What single rows cannot check: options that must fit together, and names that must exist on this machine.</summary>
public static class RunValidator
{
    /// <param name="given">Where the values came from, for messages.</param>
    /// <param name="broken">Keys whose value is unusable; checks that need them are left out.</param>
    /// <param name="mistakes">Gets one line per mistake.</param>
    /// <returns>The options with names of folders made absolute.</returns>
    public static RunOptions Check(RunOptions options, SettingsInForce given, IReadOnlySet<string> broken, ResolveEnvironment environment, List<string> mistakes)
    {
        bool Usable(params ReadOnlySpan<string> keys)
        {
            foreach (var key in keys)
            {
                if (broken.Contains(key)) return false;
            }
            return true;
        }

        if (Usable("batch", "microbatches") && options.Batch % options.Microbatches != 0)
            mistakes.Add(BatchMistake(options));
        Contradictions.Find(options, given, broken, mistakes);
        if (Usable("augmentation.mean", "augmentation.std")) CheckChannels(options.Augmentation, mistakes);
        if (Usable("monitor") && options.Monitor != "none" && !MonitorAddress.TryParse(options.Monitor, out _))
            mistakes.Add($"--monitor {options.Monitor}: write HOST:PORT with an address of this machine, such as 127.0.0.1:0 (any free port) or 0.0.0.0:8080, or none");
        if (Usable("device")) CheckDevices(options.Device, environment, mistakes);
        return Usable("data") ? CheckData(options, environment, mistakes) : options;
    }

    private static string BatchMistake(RunOptions options)
    {
        var down = options.Batch - options.Batch % options.Microbatches;
        var near = down == 0 ? options.Microbatches : down;
        return $"--batch {options.Batch} is not divisible by --microbatches {options.Microbatches}: use --batch {near}, or other microbatches";
    }

    private static void CheckChannels(AugmentationOptions augmentation, List<string> mistakes)
    {
        if (augmentation.Mean is { } mean && augmentation.Std is { } std && mean.Count != std.Count)
            mistakes.Add($"--mean has {mean.Count} channels and --std {std.Count}: give one number per channel in both");
    }

    private static void CheckDevices(string devices, ResolveEnvironment environment, List<string> mistakes)
    {
        foreach (var device in devices.Split(',', StringSplitOptions.TrimEntries).Distinct())
        {
            if (environment.DeviceMistake(device) is { } mistake) mistakes.Add($"--device {devices}: {mistake}");
        }
    }

    private static RunOptions CheckData(RunOptions options, ResolveEnvironment environment, List<string> mistakes)
    {
        var colon = options.Data.IndexOf(':');
        var name = colon < 0 ? options.Data : options.Data[..colon];
        var folder = colon < 0 ? null : options.Data[(colon + 1)..];
        if (KnownNames.Data.FirstOrDefault(data => data.Name == name) is not { } known)
        {
            mistakes.Add($"--data {options.Data}: unknown data set {name}{NearestName.Hint(name, [.. KnownNames.Data.Select(data => data.Name)])}");
            return options;
        }
        if (string.IsNullOrEmpty(folder) && known.NeedsFolder)
        {
            if (folder is null && environment.IsForShow) return options;
            mistakes.Add($"--data {options.Data}: {name} needs a folder that you have: write --data {known.Usage}");
            return options;
        }
        if (folder is null) return options;
        if (!known.Folder)
        {
            mistakes.Add($"--data {options.Data}: {name} takes no folder, write --data {name}");
            return options;
        }
        var path = folder.Length == 0 ? "" : Path.GetFullPath(folder, environment.WorkingDirectory);
        if (File.Exists(path))
        {
            mistakes.Add($"--data {options.Data}: {folder} is a file: name the folder that it lies in");
            return options;
        }
        if (!Directory.Exists(path))
        {
            mistakes.Add($"--data {options.Data}: there is no folder {(folder.Length == 0 ? "after the colon" : folder)}");
            return options;
        }
        return options with { Data = $"{name}:{path}" };
    }
}
