using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Cli.Configuration;

namespace Cluster.Cli.Bench.Protocol;

/// <summary>
/// A run of <c>launch</c> whose shards or coordinator are killed one after another; every kill waits until the run is whole
/// again (each shard has its standby). The moment of the next commit is read off the log's length, every millisecond.
/// </summary>
internal sealed partial class LaunchedRecovery : IAsyncDisposable
{
    private const int CalmCommits = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-bench-");
    private readonly MeasuredProcess _launch;
    private readonly string _commits, _events;

    public LaunchedRecovery()
    {
        var run = Path.Combine(_folder.FullName, "run");
        (_commits, _events) = (Path.Combine(run, RunFolder.CommitsName), Path.Combine(run, RunFolder.EventsName));
        string[] arguments =
        [
            "launch", "--data", "synthetic", "--model", "small-cnn", "--batch", "16", "--microbatches", "4", "--workers", "2", "--ps", "2", "--steps", "1000000",
            "--evaluate", "false", "--checkpoint-every", "500", "--checkpoint-keep", "1", "--out", run,
        ];
        _launch = MeasuredProcess.Start("cluster launch", Path.Combine(AppContext.BaseDirectory, "cluster"), arguments, threads: 1);
    }

    /// <returns>Milliseconds from each SIGKILL to the next commit.</returns>
    /// <exception cref="BenchmarkException">The run did not go on.</exception>
    public async Task<IReadOnlyList<double>> MeasureAsync(string role, int kills, Action<string> progress, CancellationToken stop)
    {
        var times = new List<double>();
        var random = new Random(1);
        await CalmAsync(stop);
        for (var kill = 0; kill < kills; kill++)
        {
            var victim = role == "ps" ? $"ps-{random.Next(2)}" : role;
            // A takeover is one new term; a lost shard two, its standby's and that of the process that has come back.
            var terms = TermsBegun() + (role == "ps" ? 2 : 1);
            await Task.Delay(random.Next(60), stop);
            using var process = Process.GetProcessById(ProcessOf(victim));
            var started = Stopwatch.GetTimestamp();
            process.Kill();
            // A record may have been on its way when the signal was sent; what was written before its effect does not count.
            while (!process.HasExited) Thread.Sleep(0);
            await CommitsAsync(Commits() + 1, stop);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            await UntilAsync(() => TermsBegun() >= terms, $"the run did not become whole again after {victim} was killed", stop);
            await CalmAsync(stop);
            if ((kill + 1) % 10 == 0) progress($"{kill + 1} x {role}: median {times.Order().ElementAt(times.Count / 2):0} ms, longest {times.Max():0} ms");
        }
        return times;
    }

    private Task CalmAsync(CancellationToken stop) => CommitsAsync(Commits() + CalmCommits, stop);

    private Task CommitsAsync(int count, CancellationToken stop) => UntilAsync(() => Commits() >= count, $"the run did not reach {count} commits", stop);

    private static async Task UntilAsync(Func<bool> isSo, string mistake, CancellationToken stop)
    {
        var deadline = Stopwatch.StartNew();
        while (!isSo())
        {
            if (deadline.Elapsed > Patience) throw new BenchmarkException($"{mistake} within {Patience.TotalSeconds} s");
            await Task.Delay(1, stop);
        }
    }

    /// <summary>While a coordinator takes over, the log is away for a moment: as many as before.</summary>
    private int Commits()
    {
        try
        {
            var count = File.ReadAllBytes(_commits).AsSpan().Count((byte)'\n');
            return _seen = Math.Max(_seen, count);
        }
        catch (IOException)
        {
            return _seen;
        }
    }

    private int _seen;

    private int TermsBegun() => Events().Count(static e => e.Kind == "term");

    private int ProcessOf(string node)
    {
        var sentence = Events().Last(e => e.Kind == "process-started" && e.Node == node).Sentence;
        return int.Parse(ProcessNumber().Match(sentence).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private List<(string Kind, string Node, string Sentence)> Events()
    {
        var events = new List<(string, string, string)>();
        foreach (var line in File.ReadLines(_events))
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            events.Add((root.GetProperty("kind").GetString()!, root.GetProperty("node").GetString() ?? "", root.GetProperty("sentence").GetString()!));
        }
        return events;
    }

    [GeneratedRegex(@"process (\d+)")]
    private static partial Regex ProcessNumber();

    public async ValueTask DisposeAsync()
    {
        await _launch.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
