using System.Globalization;
using Cluster.Contracts;
using Cluster.Engine;

namespace Cluster.Cli.Bench.Peers;

/// <summary>The same training under PyTorch DDP and under us, in alternation.</summary>
internal sealed class PeersBenchmark : IBenchmark
{
    /// <summary>The goals of a median ratio.</summary>
    private const double OverDdp = 1.00, OverAlone = 0.98;

    private const int ImagesPerWorker = 64, Classes = 10;

    private const int LeastWarmUp = 3, LeastSteps = 3;

    private static readonly ImageShape Image = new(3, 32, 32);
    private static readonly string[] KnownModels = ["small-cnn", "resnet18"];

    public string Name => "peers";

    public string Description => "Training under PyTorch DDP and under us, in alternation.";

    public string Details =>
        $"""
        The same model (resnet18 with the CIFAR stem, small-cnn), float32, {ImagesPerWorker} images per worker and step, one thread per worker,
        synthetic images in memory, momentum SGD, no evaluation, no checkpoint. All sides do as many steps. Sides, in turn:
          ddp         PyTorch's DistributedDataParallel over gloo, one process per worker, channels-last (faster than contiguous here)
          ours        'cluster {OurPeer.Verb}' with one leaf per worker: the equal of DDP
          ours-k8     the same with {OurPeer.DefaultMicrobatches} leaves, our default
          ours-devices  as ours-k8, with one worker that drives as many devices as there would be workers
          alone       PyTorch: one training loop per worker at the same time, without any exchange
          ours-alone  'cluster train --workers 1' once per worker at the same time
        Needs a Python with torch: ${PythonInterpreter.Variable} if set, else /usr/bin/python3, else python3 ('apt install python3-torch').
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } =
        [BenchmarkFlags.Models(KnownModels), BenchmarkFlags.Pairs, BenchmarkFlags.WarmUp, BenchmarkFlags.Seconds, BenchmarkFlags.Steps, BenchmarkFlags.Workers, BenchmarkFlags.Sides(Sides.Keys)];

    /// <summary>Five seconds of warm-up: the first steps compile code and fault memory in on both sides, and a rate of them says nothing of the hours that follow.</summary>
    public BenchmarkOptions Defaults { get; } = new() { Models = KnownModels, WarmUp = 5 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var sides = Sides.All.Where(side => options.Sides.Count == 0 || options.Sides.Contains(side.Key)).ToArray();
        var python = sides.Any(static side => side.NeedsPython) ? PythonInterpreter.Find() : null;
        var figures = new List<Figure>();
        foreach (var model in options.Models)
        {
            var work = await PlanAsync(model, options, sides[0], python, stop);
            options.Progress($"{model}: {work.WarmUp} + {work.Steps} steps of {work.Batch} images, {options.Pairs} pairs of {sides.Length} sides");
            figures.AddRange(FiguresOf(model, await MeasureAsync(work, options, sides, python, stop)));
        }
        var notes = new List<string>
        {
            $"images/s of all {options.Workers} workers together; ours is 'cluster {OurPeer.Verb} --workers {options.Workers}', from the ms of commits.jsonl; ratios are taken within a pair.",
        };
        if (options.Workers > Environment.ProcessorCount)
            notes.Add($"{options.Workers} workers shared {Environment.ProcessorCount} cores: nobody had one of his own.");
        return new BenchmarkReport("peers", $"Training, float32, {options.Workers} workers of one thread, {ImagesPerWorker} images each per step, n = {options.Pairs} pairs in alternation", figures)
        {
            Notes = notes,
            Versions = python is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["PyTorch"] = python.TorchVersion },
        };
    }

    /// <summary>A few steps of the first side, unmeasured, say how many steps fill the seconds that were asked for; where no seconds were, nobody needs to know.</summary>
    private static async Task<PeerWorkload> PlanAsync(string model, BenchmarkOptions options, Side first, PythonInterpreter? python, CancellationToken stop)
    {
        var pilot = new PeerWorkload(model, ParametersOf(model), options.Workers, ImagesPerWorker, WarmUp: 1, Steps: 3);
        if (options is { WarmUp: 0, Steps: { } steps }) return pilot with { WarmUp = 0, Steps = steps };
        var secondsPerStep = pilot.Batch / await first.MeasureAsync(pilot, python, stop);
        return pilot with { WarmUp = StepsIn(options.WarmUp, secondsPerStep, LeastWarmUp), Steps = options.Steps ?? StepsIn(options.Seconds, secondsPerStep, LeastSteps) };
    }

    /// <summary>Whole steps that take at least <paramref name="seconds"/>.</summary>
    internal static int StepsIn(double seconds, double secondsPerStep, int least) =>
        (int)Math.Clamp(Math.Ceiling(seconds / secondsPerStep), least, Limits.MaxBenchmarkSteps);

    private static int ParametersOf(string model)
    {
        using var engine = new GradientEngine(new GradientEngineOptions { Model = model, ClassCount = Classes, Image = Image });
        return engine.Layout.ParameterFloats;
    }

    private static async Task<Dictionary<string, Figure>> MeasureAsync(
        PeerWorkload work, BenchmarkOptions options, Side[] sides, PythonInterpreter? python, CancellationToken stop)
    {
        var rates = sides.ToDictionary(static side => side.Key, static _ => new List<double>());
        for (var pair = 0; pair < options.Pairs; pair++)
        {
            // A/B then B/A: a machine that slows down or speeds up does so to both.
            foreach (var side in pair % 2 == 0 ? sides : sides.Reverse())
            {
                var rate = await side.MeasureAsync(work, python, stop);
                rates[side.Key].Add(rate);
                options.Progress(string.Create(CultureInfo.InvariantCulture, $"{work.Model}, pair {pair + 1} of {options.Pairs}, {side.Name}: {rate:0.0} images/s"));
            }
        }
        return sides.ToDictionary(static side => side.Key, side => new Figure(work.Model, side.Name, "images/s", rates[side.Key]));
    }

    /// <summary>The rates, and the ratios of those sides that were measured.</summary>
    internal static IEnumerable<Figure> FiguresOf(string model, IReadOnlyDictionary<string, Figure> rates)
    {
        foreach (var key in Sides.Keys.Where(rates.ContainsKey)) yield return rates[key];
        foreach (var (ours, over, bound) in new[]
                 {
                     (Sides.Ours, Sides.Ddp, Bound.AtLeast(OverDdp)),
                     (Sides.OursFine, Sides.Ddp, null),
                     (Sides.OursDevices, Sides.OursFine, null),
                     (Sides.Ours, Sides.Alone, Bound.AtLeast(OverAlone)),
                     (Sides.Ours, Sides.OursAlone, null),
                     (Sides.Ddp, Sides.Alone, null),
                     (Sides.OursAlone, Sides.Alone, null),
                 })
        {
            if (rates.TryGetValue(ours, out var a) && rates.TryGetValue(over, out var b))
                yield return Figure.Ratio(model, $"{ours} / {over}", a, b) with { Bound = bound };
        }
    }
}
