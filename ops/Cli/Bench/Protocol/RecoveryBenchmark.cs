using System.Diagnostics;

namespace Cluster.Cli.Bench.Protocol;

/// <summary><c>bench recovery</c>: how long the next commit takes after a process was killed in the middle of a step.</summary>
internal sealed class RecoveryBenchmark : IBenchmark
{
    private const int Workers = 4, Leaves = 8;
    private const double LeafMilliseconds = 50;

    /// <summary>What docs/launch.md promises: half a second, and the open leaves over the survivors, rounded up.</summary>
    private static readonly double BoundMilliseconds = 500 + Math.Ceiling((double)Leaves / (Workers - 1)) * LeafMilliseconds;

    public string Name => "recovery";

    public string Description => "Time from the SIGKILL of a worker, a shard or the coordinator to the next commit.";

    public string Details => """
        worker: four worker processes, eight leaves of 50 ms that sleep. One is killed at a random moment of a step and another one
        started afterwards; the bound of the 99th percentile is that of docs/launch.md: 0.5 s plus the open leaves over
        the survivors.
        ps, coordinator: 'cluster launch' with two workers and two shards that have standbys, small-cnn, synthetic images. The process
        is killed and started again by the supervisor; the bound of the 95th percentile is 3 s. --pairs counts kills of each side.
        """;

    private static readonly string[] Roles = ["worker", "ps", "coordinator"];

    private const double TakeoverBoundMilliseconds = 3_000;

    public IReadOnlyList<BenchmarkFlag> Flags => [BenchmarkFlags.Pairs, BenchmarkFlags.Sides(Roles)];

    public BenchmarkOptions Defaults => new() { Pairs = 50 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var figures = new List<Figure>();
        foreach (var role in Roles.Where(r => options.Sides.Count == 0 || options.Sides.Contains(r)))
        {
            var (share, bound) = role == "worker" ? (0.99, BoundMilliseconds) : (0.95, TakeoverBoundMilliseconds);
            var times = role == "worker" ? await KillWorkersAsync(options, stop) : await KillOthersAsync(role, options, stop);
            var sorted = times.Order().ToArray();
            figures.Add(new Figure(role, "to the next commit", "ms", times));
            figures.Add(new Figure(role, $"{share * 100:0}th percentile", "ms", [sorted[(int)Math.Ceiling(sorted.Length * share) - 1]]) { Bound = Bound.AtMost(bound) });
        }
        return new BenchmarkReport(Name, "SIGKILL in mid-step to the next commit", figures);
    }

    private static async Task<IReadOnlyList<double>> KillOthersAsync(string role, BenchmarkOptions options, CancellationToken stop)
    {
        await using var run = new LaunchedRecovery();
        return await run.MeasureAsync(role, options.Pairs, options.Progress, stop);
    }

    private static async Task<IReadOnlyList<double>> KillWorkersAsync(BenchmarkOptions options, CancellationToken stop)
    {
        LeafLoad[] leaves = [.. Enumerable.Repeat(new LeafLoad(LeafMilliseconds), Workers)];
        await using var run = ProtocolRun.Start(leaves, Leaves, steps: 1_000_000);
        using var committed = new SemaphoreSlim(0);
        var joined = 0;
        using var joins = new SemaphoreSlim(0);
        run.OnCommitted = _ => committed.Release();
        run.OnSaid = sentence =>
        {
            if (!sentence.Contains(" joined;", StringComparison.Ordinal)) return;
            Interlocked.Increment(ref joined);
            joins.Release();
        };
        for (var i = 0; i < Workers; i++) await joins.WaitAsync(TimeSpan.FromSeconds(60), stop);
        var random = new Random(1);
        var living = Enumerable.Range(0, Workers).Select(static i => $"worker-{i}").ToList();
        var times = new List<double>();
        for (var kill = 0; kill < options.Pairs; kill++)
        {
            // A few calm steps first: all four have leaves, and their speed is known.
            for (var i = 0; i < 6; i++) await NextAsync(committed, stop);
            await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * 2 * LeafMilliseconds), stop);
            while (committed.Wait(0, stop)) { }
            var victim = living[random.Next(Workers)];
            var started = Stopwatch.GetTimestamp();
            await run.KillAsync(victim);
            await NextAsync(committed, stop);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            // Under a new name: one that comes back again and again is let in more slowly, as it should be.
            living.Remove(victim);
            living.Add($"worker-{Workers + kill}");
            run.StartWorker(living[^1], new LeafLoad(LeafMilliseconds));
            if (!await joins.WaitAsync(TimeSpan.FromSeconds(60), stop)) throw new BenchmarkException($"{living[^1]} did not come");
            if ((kill + 1) % 20 == 0) options.Progress($"{kill + 1} kills: median {times.Order().ElementAt(times.Count / 2):0} ms, longest {times.Max():0} ms");
        }
        run.OnCommitted = null;
        run.OnSaid = null;
        return times;
    }

    private static async Task NextAsync(SemaphoreSlim committed, CancellationToken stop)
    {
        if (!await committed.WaitAsync(TimeSpan.FromSeconds(30), stop)) throw new BenchmarkException("no step was committed for 30 s");
    }
}
