using System.Diagnostics;
using System.Text.Json.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

/// <summary>Time to write a checkpoint against <c>dd</c> of as many bytes with fsync, in turn, on the same disk.</summary>
internal static class WriteBenchmark
{
    public static int Run(string folder, int megabytes, int rounds)
    {
        // Half of the bytes are the model's, half its momentum's; four shards, as a run would have them.
        var side = (int)Math.Sqrt(megabytes * 1e6 / 8 / 16);
        var layout = ParameterLayout.Of(Enumerable.Range(0, 16).Select(i => ($"layer{i}.weight", (IReadOnlyList<int>)[side, side], StateKind.Parameter, true)));
        using var state = new TestState(step: 1, shards: 4, layout);
        var content = state.Content();
        var (ours, theirs) = (new List<double>(), new List<double>());
        long bytes = 0;
        for (var round = 0; round <= rounds; round++)      // round 0 warms up
        {
            var run = Directory.CreateDirectory(Path.Combine(folder, $"cluster-bench-{Environment.ProcessId}-{round}")).FullName;
            var before = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            new CheckpointStore(run).Write(content with { Version = new WeightsVersion(round + 1), Facts = new JsonObject() });
            var mine = clock.Elapsed.TotalSeconds;
            var processor = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
            bytes = new CheckpointStore(run).List().Single().Bytes;
            Directory.Delete(run, recursive: true);

            var file = run + ".dd";
            var start = new ProcessStartInfo("dd", ["if=/dev/zero", $"of={file}", "bs=1M", $"count={bytes}", "iflag=count_bytes", "conv=fsync", "status=none"]) { UseShellExecute = false };
            clock.Restart();
            using (var dd = Process.Start(start)!) dd.WaitForExit();
            var disk = clock.Elapsed.TotalSeconds;
            File.Delete(file);
            if (round == 0) continue;
            ours.Add(mine);
            theirs.Add(disk);
            Console.WriteLine($"round {round}: checkpoint {mine * 1e3:F0} ms ({bytes / mine / 1e6:F0} MB/s; {processor * 1e3:F0} ms of processor time), dd {disk * 1e3:F0} ms ({bytes / disk / 1e6:F0} MB/s)");
        }
        static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
        Console.WriteLine($"{bytes / 1e6:F1} MB, n = {rounds}: checkpoint {Median(ours) * 1e3:F0} ms, dd {Median(theirs) * 1e3:F0} ms, ratio of rates {Median(theirs) / Median(ours):F2} (medians)");
        return 0;
    }
}
