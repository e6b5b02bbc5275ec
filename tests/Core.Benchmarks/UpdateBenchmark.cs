using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Benchmarks;

/// <summary>Medians of one measured operation.</summary>
/// <param name="CountedBytes">Bytes read and written per run, each array once: no write-allocate traffic.</param>
internal sealed record Measurement(string Name, long CountedBytes, IReadOnlyList<double> Seconds)
{
    public double MedianSeconds { get; } = Seconds.Order().ElementAt(Seconds.Count / 2);
    public double GigabytesPerSecond => CountedBytes / MedianSeconds / 1e9;
}

/// <summary>
/// The server's passes over memory beside the machine's triad bandwidth, one thread, taken in turn so that a busy
/// neighbour slows all of them alike.
/// </summary>
internal static class UpdateBenchmark
{
    public static IReadOnlyList<Measurement> Run(int parameters, int rounds)
    {
        // Nine tenths decay, in tensors of a convolution's size, with a norm's weight and bias after each: ResNet-18's habit.
        var tensors = new List<(string, IReadOnlyList<int>, StateKind, bool)>();
        for (var left = parameters; left > 0;)
        {
            var size = Math.Min(left, 589_824);
            tensors.Add(($"conv{tensors.Count}.weight", [size], StateKind.Parameter, true));
            left -= size;
            if (left < 512) continue;
            tensors.Add(($"bn{tensors.Count}.weight", [512], StateKind.Parameter, false));
            left -= 512;
        }
        var layout = ParameterLayout.Of(tensors);
        var range = ShardPlan.Deal(layout, 1).Ranges[0];
        var update = new ShardUpdate(range, layout, SgdRule.Create(new OptimizerOptions { Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4 }));
        var plain = new ShardUpdate(range, layout, SgdRule.Create(new OptimizerOptions { Momentum = 0.9, Nesterov = false, WeightDecay = 5e-4 }));
        using var reducer = new ShardReducer(range, layout);
        using var a = NativeBuffer.Allocate(layout.StateFloats);
        using var b = NativeBuffer.Allocate(layout.StateFloats);
        using var c = NativeBuffer.Allocate(layout.StateFloats);
        using var d = NativeBuffer.Allocate(layout.StateFloats);
        var stream = new PhiloxStream(1, RandomPurpose.Fingerprint, 0);
        foreach (ref var x in a.Span) x = stream.NextSingle() - 0.5f;
        foreach (ref var x in b.Span) x = stream.NextSingle() - 0.5f;
        var program = ReductionProgram.OverLeaves(2);
        var squares = new double[reducer.ParameterChunkCount];
        var step = new ApplyArguments(512, 8, 1, 1e-3, false);
        var bytes = (long)layout.StateFloats * sizeof(float);

        (string Name, int Arrays, Action Run)[] operations =
        [
            ("triad, ordinary stores", Triad.CountedArrays, () => Triad.Ordinary(d.Span, a.Span, b.Span, 0.5f)),
            ("triad, streaming stores", Triad.CountedArrays, () => Triad.Streaming(d.Span, a.Span, b.Span, 0.5f)),
            ("SGD, momentum, decay", 5, () => plain.Apply(a.Span, b.Span, d.Span, c.Span, step)),
            ("SGD, Nesterov, decay", 5, () => update.Apply(a.Span, b.Span, d.Span, c.Span, step)),
            ("add two nodes, and norm", 3, () => reducer.Reduce(program, [a, b], 0, d.Span, squares)),
        ];
        var seconds = operations.Select(_ => new List<double>()).ToArray();
        for (var round = -2; round < rounds; round++)
        {
            for (var i = 0; i < operations.Length; i++)
            {
                var start = Stopwatch.GetTimestamp();
                operations[i].Run();
                if (round >= 0) seconds[i].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
        return [.. operations.Select((o, i) => new Measurement(o.Name, o.Arrays * bytes, seconds[i]))];
    }
}
