namespace Cluster.Cli.Bench.Protocol;

/// <summary><c>bench step</c>: the protocol alone, and what a slow worker costs.</summary>
internal sealed class StepBenchmark : IBenchmark
{
    // The run-time compiles what is called often anew after a second without new methods (decision 0014).
    private const int Warm = 2_500, Measured = 4_000;
    private const int SlowLeaves = 24, SlowSteps = 60, SlowWarm = 10;
    private const double LeafMilliseconds = 20;

    public string Name => "step";

    public string Description => "The protocol alone: steps of an empty model; and what one slow worker of four costs.";

    public string Details => """
        Empty step: two worker processes, coordinator and one shard in this one, joined over Unix sockets; a leaf computes
        nothing, one chunk of state (256 KiB) travels each way. Time between two commits, as commits.jsonl has it.
        Straggler: leaves that sleep 20 ms, K = 24; the rate of four workers, one of them ten times slower, over that of three.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags => [BenchmarkFlags.Pairs, BenchmarkFlags.Sides(["empty", "straggler"])];

    public BenchmarkOptions Defaults => new() { Pairs = 3 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var figures = new List<Figure>();
        if (options.Sides.Count == 0 || options.Sides.Contains("empty")) figures.AddRange(await EmptyAsync(options, stop));
        if (options.Sides.Count == 0 || options.Sides.Contains("straggler")) figures.AddRange(await StragglerAsync(options, stop));
        return new BenchmarkReport(Name, "Steps of a model that computes nothing, or sleeps", figures);
    }

    private static async Task<IReadOnlyList<Figure>> EmptyAsync(BenchmarkOptions options, CancellationToken stop)
    {
        List<double> medians = [], tails = [];
        for (var i = 0; i < options.Pairs; i++)
        {
            var times = (await TimesAsync([0, 0], microbatches: 2, Warm + Measured, stop)).Skip(Warm).Order().ToArray();
            medians.Add(times[times.Length / 2] * 1_000);
            tails.Add(times[(int)(times.Length * 0.99)] * 1_000);
            options.Progress($"empty step: median {medians[^1]:0} µs, p99 {tails[^1]:0} µs over {times.Length} steps");
        }
        return
        [
            new Figure("empty step", "median", "us", medians) { Bound = Bound.AtMost(500) },
            new Figure("empty step", "99th percentile", "us", tails),
        ];
    }

    private static async Task<IReadOnlyList<Figure>> StragglerAsync(BenchmarkOptions options, CancellationToken stop)
    {
        List<double> three = [], four = [];
        for (var i = 0; i < options.Pairs; i++)
        {
            double[] fast = [LeafMilliseconds, LeafMilliseconds, LeafMilliseconds];
            three.Add(await RateAsync(fast, stop));
            four.Add(await RateAsync([.. fast, 10 * LeafMilliseconds], stop));
            options.Progress($"straggler: {three[^1]:0.00} steps/s with three workers, {four[^1]:0.00} with a fourth that is ten times slower");
        }
        var calm = new Figure("straggler", "three workers", "steps/s", three);
        var slowed = new Figure("straggler", "and one ten times slower", "steps/s", four);
        return [calm, slowed, Figure.Ratio("straggler", "ratio", slowed, calm) with { Bound = Bound.AtLeast(0.85) }];
    }

    private static async Task<double> RateAsync(double[] leafMilliseconds, CancellationToken stop)
    {
        var times = await TimesAsync(leafMilliseconds, SlowLeaves, SlowWarm + SlowSteps, stop);
        return SlowSteps / (times.Skip(SlowWarm).Sum() / 1_000);
    }

    private static async Task<IReadOnlyList<double>> TimesAsync(double[] leafMilliseconds, int microbatches, long steps, CancellationToken stop)
    {
        await using var run = ProtocolRun.Start([.. leafMilliseconds.Select(static ms => new LeafLoad(ms))], microbatches, steps);
        await run.FinishAsync(stop);
        return run.StepTimes();
    }
}
