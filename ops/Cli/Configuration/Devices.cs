using System.Globalization;
using System.Text.RegularExpressions;
using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>Which devices this machine has, as far as the operating system knows without loading libtorch.</summary>
public static partial class Devices
{
    /// <summary><c>cuda:3</c> gives 3; null for anything else.</summary>
    public static int? CudaIndex(string device) =>
        CudaName().Match(device) is { Success: true } match && int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    /// <summary>See <see cref="ResolveEnvironment.DeviceMistake"/>. Looks for the driver's device nodes.</summary>
    public static string? Mistake(string device)
    {
        if (device == "cpu") return null;
        if (CudaIndex(device) is not { } index)
            return device == "cuda" ? "name the GPU: cuda:0" : $"unknown device {device}{NearestName.Hint(device, ["cpu", "cuda:0"])}";
        var count = Directory.EnumerateFiles("/dev", "nvidia*").Count(path => GpuNode().IsMatch(path));
        return count switch
        {
            0 => $"{device} is not there: this machine shows no NVIDIA GPU; use --device cpu",
            _ when index >= count => $"{device} is not there: this machine has cuda:0 to cuda:{count - 1}",
            _ => null,
        };
    }

    [GeneratedRegex("^cuda:([0-9]{1,4})$")]
    private static partial Regex CudaName();

    [GeneratedRegex("/nvidia[0-9]+$")]
    private static partial Regex GpuNode();
}

/// <summary>Questions about file systems.</summary>
public static class Disk
{
    /// <summary>See <see cref="ResolveEnvironment.FreeBytes"/>.</summary>
    public static long? FreeBytes(string existingFolder)
    {
        try
        {
            return new DriveInfo(existingFolder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The folder itself, or the nearest one above it that exists.</summary>
    public static string NearestExisting(string folder)
    {
        var at = folder;
        while (!Directory.Exists(at) && !File.Exists(at) && Path.GetDirectoryName(at) is { } parent) at = parent;
        return at;
    }
}
