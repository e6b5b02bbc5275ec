using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Update;

/// <summary>The server's fused update against the machine's memory bandwidth and against PyTorch, in turn.</summary>
internal sealed class UpdateBenchmark : IBenchmark
{
    /// <summary>
    /// Rounds and time before the first round that counts: pages are faulted in, and what the runtime brings precompiled, or
    /// compiles quickly under other settings than ours, is compiled anew after 30 calls and a pause of 100 ms.
    /// </summary>
    private const int WarmUpRounds = 40;

    private static readonly TimeSpan WarmUpTime = TimeSpan.FromSeconds(1);

    /// <summary>Of PyTorch, which is compiled: its first rounds fault pages in, no more.</summary>
    private const int TorchWarmUpRounds = 3;

    /// <summary>Two threads reach memory faster than one; less than twice, since memory is what they wait for.</summary>
    private const double TwoThreadsSpeed = 1.1;

    public string Name => "update";

    public string Description => "The server's fused updates against memory bandwidth and PyTorch.";

    public string Details =>
        """
        Every rule as a parameter shard does it (mean, clip, penalty, rule and weights in one pass) on one thread, momentum and
        Adam also as two shards on two threads, the sum of two gradient nodes with its norm, the triad of STREAM over the same
        arrays, and, where a Python with torch is there, momentum-SGD by PyTorch's in-place operations and by torch.optim.SGD
        (which takes no mean). In turn, once a round. GB/s count every array that is read or written once.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } = [BenchmarkFlags.Parameters, BenchmarkFlags.Pairs];

    public BenchmarkOptions Defaults { get; } = new() { Pairs = 31 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var (python, missing) = FindPython();
        await using var torch = python is null ? null : await TorchUpdate.StartAsync(python, options.Parameters, stop);
        using var operations = new UpdateOperations(options.Parameters);
        var ours = operations.All.ToDictionary(static operation => operation, static _ => new List<double>());
        var (inPlace, optimizer) = (new List<double>(), new List<double>());
        options.Progress($"{options.Parameters:N0} parameters, {options.Pairs} rounds");
        var begun = Stopwatch.GetTimestamp();
        for (var warmUp = 0; warmUp < WarmUpRounds || Stopwatch.GetElapsedTime(begun) < WarmUpTime; warmUp++)
        {
            stop.ThrowIfCancellationRequested();
            foreach (var operation in operations.All) operation.Run();
        }
        for (var round = -TorchWarmUpRounds; round < options.Pairs; round++)
        {
            stop.ThrowIfCancellationRequested();
            foreach (var operation in round % 2 == 0 ? operations.All : operations.All.Reverse())
            {
                var start = Stopwatch.GetTimestamp();
                operation.Run();
                if (round >= 0) ours[operation].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            if (torch is null) continue;
            var (first, second) = await torch.RunAsync(stop);
            if (round < 0) continue;
            inPlace.Add(first);
            optimizer.Add(second);
        }
        return Report(options, operations, ours, torch, inPlace, optimizer, missing);
    }

    private static (PythonInterpreter? Python, string? Missing) FindPython()
    {
        try
        {
            return (PythonInterpreter.Find(), null);
        }
        catch (UserMistakeException e)
        {
            return (null, e.Message);
        }
    }

    private static BenchmarkReport Report(
        BenchmarkOptions options, UpdateOperations operations, Dictionary<UpdateOperation, List<double>> ours,
        TorchUpdate? torch, List<double> inPlace, List<double> optimizer, string? missing)
    {
        const string times = "time of one pass", rates = "bandwidth", ratios = "ratio, round by round";
        var figures = operations.All.Select(operation => new Figure(times, operation.Name, "ms", ours[operation])).ToList();
        if (torch is not null)
        {
            figures.Add(new Figure(times, "PyTorch, in-place operations", "ms", inPlace));
            figures.Add(new Figure(times, "PyTorch, torch.optim.SGD", "ms", optimizer));
        }
        var bandwidth = operations.All.ToDictionary(
            static operation => operation,
            operation => new Figure(rates, operation.Name, "GB/s", [.. ours[operation].Select(ms => operation.CountedBytes / ms / 1e6)]));
        figures.AddRange(operations.All.Select(operation => bandwidth[operation]));
        foreach (var operation in operations.OfRules)
        {
            figures.Add(Figure.Ratio(ratios, $"bandwidth: {operation.Name} / streaming triad", bandwidth[operation], bandwidth[operations.StreamingTriad]) with
            {
                Bound = operation.Share is { } share ? Bound.AtLeast(share) : null,
            });
        }
        foreach (var (one, two) in operations.TwoThreads)
            figures.Add(Figure.Ratio(ratios, $"speed: {two.Name} / one", bandwidth[two], bandwidth[one]) with { Bound = Bound.AtLeast(TwoThreadsSpeed) });
        if (torch is not null)
        {
            var fused = figures.Single(figure => figure.Group == times && figure.Name == operations.FusedUpdate.Name);
            figures.Add(Figure.Ratio(ratios, "speed: update: momentum / in-place operations", figures.Single(static f => f.Name.Contains("in-place", StringComparison.Ordinal)), fused) with { Bound = Bound.AtLeast(1) });
            figures.Add(Figure.Ratio(ratios, "speed: update: momentum / torch.optim.SGD", figures.Single(static f => f.Name.Contains("optim", StringComparison.Ordinal)), fused) with { Bound = Bound.AtLeast(1) });
        }
        return new BenchmarkReport("update", string.Create(CultureInfo.InvariantCulture, $"update of {options.Parameters:N0} parameters, float32, {options.Pairs} rounds in turn"), figures)
        {
            Notes = missing is null ? [] : [$"PyTorch was left out: {missing}"],
            Versions = torch is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["PyTorch"] = torch.Version },
        };
    }
}
