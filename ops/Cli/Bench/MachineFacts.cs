using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cluster.Cli.Bench;

/// <summary>The machine that a figure belongs to.</summary>
/// <param name="Cores">Logical processors that this process may use.</param>
/// <param name="MemoryBytes">Of the machine, or of the container where that is less.</param>
/// <param name="Load">Runnable tasks over the last 1, 5 and 15 minutes (getloadavg(3)) before the measurement; null where the system does not say.</param>
/// <param name="VectorBits">The widest vectors that the runtime uses.</param>
internal sealed record MachineFacts(string Cpu, int Cores, long MemoryBytes, IReadOnlyList<double>? Load, string System, int VectorBits)
{
    /// <summary>Above this, in tasks, somebody else was computing.</summary>
    private const double QuietLoad = 0.5;

    /// <summary>True if the machine had other work in the minute before.</summary>
    public bool WasBusy => Load is [var lastMinute, ..] && lastMinute > QuietLoad;

    public static MachineFacts Read() => new(
        CpuName(ReadOrEmpty("/proc/cpuinfo")), Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        LoadOf(ReadOrEmpty("/proc/loadavg")), RuntimeInformation.OSDescription,
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 32);

    /// <summary>One line for a person.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Cpu}, {Cores} cores, {MemoryBytes / (double)(1 << 30):0.#} GiB, {VectorBits}-bit vectors, {System}, load {(Load is null ? "unknown" : string.Join(' ', Load.Select(static l => l.ToString("0.00", CultureInfo.InvariantCulture))))}");

    /// <param name="cpuinfo">proc(5)'s text. ARM kernels name a part number at best, never a model.</param>
    internal static string CpuName(string cpuinfo) =>
        cpuinfo.Split('\n').Select(static line => line.Split(':', 2)).FirstOrDefault(static pair => pair.Length == 2 && pair[0].Trim() == "model name")?[1].Trim()
        ?? $"{RuntimeInformation.OSArchitecture} CPU";

    internal static IReadOnlyList<double>? LoadOf(string loadavg)
    {
        var words = loadavg.Split(' ');
        if (words.Length < 3) return null;
        var load = new double[3];
        for (var i = 0; i < load.Length; i++)
        {
            if (!double.TryParse(words[i], NumberStyles.Float, CultureInfo.InvariantCulture, out load[i])) return null;
        }
        return load;
    }

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
