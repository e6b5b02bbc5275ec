using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Monitoring;

/// <summary><c>bench monitoring</c>: what it costs to watch a run.</summary>
internal sealed class MonitoringBenchmark : IBenchmark
{
    private const double StepMilliseconds = 20, Most = 1.01;
    private const int PilotSteps = 60;

    private static readonly (string Name, Watched Watched)[] Sides =
    [
        ("traces", Watched.Traces), ("otlp", Watched.Traces | Watched.Otlp), ("metrics", Watched.Metrics), ("page", Watched.Page), ("tensorboard", Watched.TensorBoard),
        ("everything", Watched.Everything),
    ];

    private static readonly string[] Models = ["small-cnn", "linear"];

    public string Name => "monitoring";

    public string Description => "What watching a run costs: everything on against everything off, in alternation.";

    public string Details => """
        'cluster train' with workers that keep every core busy, at the batch that makes its steps about 20 ms long. Off: no trace,
        no page, no TensorBoard file. Sides against it, in turn: every step traced to disk (traces), and to a collector over OTLP
        (otlp), /metrics read once a second, an open page, TensorBoard files, and everything together. The collector and
        whoever reads the page share the cores with the run. Ratios are taken within a pair. Beside the wall time, which other users
        of a machine change from run to run: processor time of the steps that count, and of the threads alone that neither train nor
        compile; what those need more when watched, over the time of the cores in a step of 20 ms, is the last figure of a side.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } =
        [BenchmarkFlags.Models(Models), BenchmarkFlags.Pairs, BenchmarkFlags.WarmUp, BenchmarkFlags.Seconds, BenchmarkFlags.Workers, BenchmarkFlags.Sides([.. Sides.Select(static s => s.Name)])];

    public BenchmarkOptions Defaults { get; } = new() { Models = ["small-cnn"], Sides = ["everything"], WarmUp = 2, Pairs = 10 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var sides = Sides.Where(s => options.Sides.Count == 0 || options.Sides.Contains(s.Name)).Prepend(("off", Watched.Nothing)).ToArray();
        var figures = new List<Figure>();
        foreach (var model in options.Models)
        {
            var work = await PlanAsync(model, options, stop);
            var times = sides.ToDictionary(static s => s.Item1, static _ => new List<WatchedTimes>());
            for (var pair = 0; pair < options.Pairs; pair++)
            {
                foreach (var (name, watched) in pair % 2 == 0 ? sides : sides.Reverse())
                {
                    var measured = await WatchedRun.MeasureAsync(work, watched, stop);
                    times[name].Add(measured);
                    options.Progress(string.Create(CultureInfo.InvariantCulture,
                        $"{model}, pair {pair + 1} of {options.Pairs}, {name}: mean {measured.Mean:0.00} ms, median {measured.Median:0.00} ms, processor {measured.Processor:0.00} ms a step, beside training {measured.Beside:0.000} ms"));
                }
            }
            figures.AddRange(FiguresOf(model, times, Math.Min(options.Workers, Environment.ProcessorCount)));
        }
        return new BenchmarkReport(Name, $"A watched run over the same run unwatched, {options.Workers} workers of one thread", figures);
    }

    /// <summary>The batch whose steps take about 20 ms, from two short runs: a step has a part that does not depend on it.</summary>
    private static async Task<WatchedWorkload> PlanAsync(string model, BenchmarkOptions options, CancellationToken stop)
    {
        var unit = 2 * options.Workers;
        var pilot = new WatchedWorkload(model, options.Workers, 4 * unit, PilotSteps / 2, PilotSteps);
        var small = (await WatchedRun.MeasureAsync(pilot, Watched.Nothing, stop)).Median;
        var large = (await WatchedRun.MeasureAsync(pilot with { Batch = 16 * unit }, Watched.Nothing, stop)).Median;
        var perUnit = Math.Max((large - small) / 12, 1e-3);
        var units = (int)Math.Clamp(Math.Round(4 + (StepMilliseconds - small) / perUnit), 1, 1024);
        var step = Math.Max(small + (units - 4) * perUnit, 1);
        var work = pilot with
        {
            Batch = units * unit,
            WarmUp = Peers.PeersBenchmark.StepsIn(options.WarmUp, step / 1e3, 20),
            Steps = Peers.PeersBenchmark.StepsIn(options.Seconds, step / 1e3, 50),
        };
        options.Progress(string.Create(CultureInfo.InvariantCulture, $"{model}: {work.WarmUp} + {work.Steps} steps of {work.Batch} images, about {step:0.0} ms each"));
        return work;
    }

    /// <param name="cores">Cores that the run keeps busy.</param>
    internal static IEnumerable<Figure> FiguresOf(string model, IReadOnlyDictionary<string, List<WatchedTimes>> times, int cores)
    {
        var off = times["off"];
        yield return new Figure(model, "off: mean step", "ms", [.. off.Select(static t => t.Mean)]);
        yield return new Figure(model, "off: processor time", "ms/step", [.. off.Select(static t => t.Processor)]);
        foreach (var (name, on) in times.Where(static t => t.Key != "off"))
        {
            var isAll = name == "everything";
            yield return Ratio($"{name}: mean step", static t => t.Mean) with { Bound = isAll ? Bound.AtMost(Most) : null };
            yield return Ratio($"{name}: median step", static t => t.Median);
            yield return Ratio($"{name}: processor time", static t => t.Processor);
            yield return new Figure(model, $"{name}: watching threads", "ms/step", [.. on.Zip(off, static (a, b) => a.Beside - b.Beside)]);
            yield return new Figure(model, $"{name}: of a 20 ms step's cores", "1", [.. on.Zip(off, (a, b) => 1 + (a.Beside - b.Beside) / (StepMilliseconds * cores))]) with { Bound = isAll ? Bound.AtMost(Most) : null };

            Figure Ratio(string label, Func<WatchedTimes, double> read) => new(model, label, "1", [.. on.Zip(off, (a, b) => read(a) / read(b))]);
        }
    }
}
