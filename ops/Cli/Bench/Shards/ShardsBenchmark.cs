using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Bench.Shards;

/// <summary>Packed shards read in order, against dd on the same file, in turn.</summary>
internal sealed partial class ShardsBenchmark : IBenchmark
{
    private const double LeastShare = 0.8;

    private const long FileBytes = 512L << 20;

    /// <summary>As ImageNet's images have, and as Tiny ImageNet's.</summary>
    private static readonly (string Name, int Bytes)[] Kinds = [("images of 110 kB", 110_000), ("images of 2 kB", 2_000)];

    public string Name => "shards";

    public string Description => "Packed shards read in order, against dd on the same file.";

    public string Details =>
        """
        A shard of 512 MiB of generated images is read sample by sample through the block cache, with every checksum compared,
        and by dd of=/dev/null bs=4M, in turn, the order turning round each time. Cold: the file was dropped from the page cache
        before (dd iflag=nocache), so the disk decides. Warm: it lies in the page cache, and dd does nothing but copy it.
        Allocated bytes are of all threads, per sample, in a second pass over the file.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } = [BenchmarkFlags.Pairs];

    public BenchmarkOptions Defaults { get; } = new() { Pairs = 7 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-bench-shards-");
        try
        {
            var figures = new List<Figure>();
            foreach (var (kind, bytes) in Kinds)
            {
                options.Progress($"{kind}: packing {FileBytes >> 20} MiB");
                var directory = Path.Combine(folder.FullName, bytes.ToString(CultureInfo.InvariantCulture));
                var set = await Task.Run(() => ShardMeasurement.Make(directory, FileBytes, bytes, stop), stop);
                figures.AddRange(await MeasureAsync(kind, set, options, stop));
                Directory.Delete(directory, recursive: true);
            }
            return new BenchmarkReport(Name, string.Create(CultureInfo.InvariantCulture, $"sequential reading of packed shards, {options.Pairs} rounds in turn"), figures)
            {
                Notes = [$"The file lay in {folder.Parent!.FullName}; set TMPDIR to measure another disk."],
            };
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<List<Figure>> MeasureAsync(string kind, ShardMeasurement set, BenchmarkOptions options, CancellationToken stop)
    {
        var rates = new Dictionary<(bool Cold, bool Ours), List<double>>();
        var allocated = new List<double>();
        for (var round = -1; round < options.Pairs; round++)
        {
            foreach (var cold in new[] { true, false })
                foreach (var ours in round % 2 == 0 ? new[] { true, false } : [false, true])
                {
                    stop.ThrowIfCancellationRequested();
                    if (cold) await DropAsync(set.ShardPath, stop);
                    var seconds = ours ? set.Read().Time.TotalSeconds : await DdAsync(set.ShardPath, stop);
                    // The first round compiles.
                    if (round < 0) continue;
                    if (!rates.TryGetValue((cold, ours), out var list)) rates[(cold, ours)] = list = [];
                    list.Add(set.ShardBytes / seconds / 1e6);
                }
            if (round < 0) continue;
            var pass = set.Read(passes: 2);
            allocated.Add((double)pass.AllocatedBytes / pass.Samples);
        }
        var figures = new List<Figure>();
        foreach (var (cold, name) in new[] { (true, "cold"), (false, "warm") })
        {
            var ours = new Figure(kind, $"shards, {name}", "MB/s", rates[(cold, true)]);
            var dd = new Figure(kind, $"dd, {name}", "MB/s", rates[(cold, false)]);
            figures.AddRange([ours, dd, Figure.Ratio(kind, $"shards / dd, {name}", ours, dd) with { Bound = Bound.AtLeast(LeastShare) }]);
        }
        figures.Add(new Figure(kind, "allocated per sample", "By", allocated) with { Bound = Bound.AtMost(1) });
        return figures;
    }

    private static Task DropAsync(string path, CancellationToken stop) => RunDdAsync([$"if={path}", "iflag=nocache", "count=0"], stop);

    /// <summary>Seconds, as dd counts them: its own start is not in them.</summary>
    private static async Task<double> DdAsync(string path, CancellationToken stop)
    {
        var said = await RunDdAsync([$"if={path}", "of=/dev/null", "bs=4M"], stop);
        return Seconds().Match(said) is { Success: true } match
            ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new BenchmarkException($"dd did not say how long it took: {said.ReplaceLineEndings(" ")}");
    }

    private static async Task<string> RunDdAsync(IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var start = new ProcessStartInfo("dd", arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["LC_ALL"] = "C";
        try
        {
            using var dd = Process.Start(start)!;
            var said = await dd.StandardError.ReadToEndAsync(stop);
            await dd.WaitForExitAsync(stop);
            return dd.ExitCode == 0 ? said : throw new BenchmarkException($"dd failed: {said.ReplaceLineEndings(" ")}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new UserMistakeException("dd was not found, and this benchmark compares with it: install GNU coreutils", e);
        }
    }

    [GeneratedRegex(@"copied, ([0-9.e-]+) s")]
    private static partial Regex Seconds();
}
