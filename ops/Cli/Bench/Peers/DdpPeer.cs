using System.Text.Json;

namespace Cluster.Cli.Bench.Peers;

/// <summary>PyTorch's sides: ddp_peer.py, which starts as many processes as there are workers.</summary>
internal static class DdpPeer
{
    /// <param name="mode"><c>ddp</c>, or <c>alone</c>: the same loops at the same time without exchange.</param>
    /// <returns>Images/s of all processes together.</returns>
    /// <exception cref="BenchmarkException">The script failed; its networks and ours differing is one reason.</exception>
    public static async Task<double> MeasureAsync(PythonInterpreter python, string mode, PeerWorkload work, CancellationToken stop)
    {
        string[] arguments =
        [
            Path.Combine(MeasuredProcess.ScriptFolder, "ddp_peer.py"), "--mode", mode, "--model", work.Model, "--parameters", $"{work.Parameters}",
            "--processes", $"{work.Workers}", "--images", $"{work.Images}", "--threads", "1", "--warmup", $"{work.WarmUp}", "--steps", $"{work.Steps}",
        ];
        await using var process = MeasuredProcess.Start("ddp_peer.py", python.Path, arguments, threads: 1);
        return RateOf(await process.FinishAsync(stop));
    }

    /// <param name="output">Of the script; its last line is one JSON object.</param>
    /// <exception cref="BenchmarkException">It is not.</exception>
    internal static double RateOf(string output)
    {
        var last = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "";
        try
        {
            using var json = JsonDocument.Parse(last);
            var rate = json.RootElement.GetProperty("images_per_second").GetDouble();
            return double.IsFinite(rate) && rate > 0 ? rate : throw new BenchmarkException($"ddp_peer.py measured {rate} images/s");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new BenchmarkException($"ddp_peer.py ended with '{last}', which is no measurement", e);
        }
    }
}
