using System.Globalization;
using Cluster.Cli.Bench.Listing;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>Every decoder against very many bytes that it does not expect.</summary>
internal sealed class FuzzBenchmark : IBenchmark
{
    /// <summary>Resident memory may grow by so much over all cases: caches and compiled code, not what is left behind by each.</summary>
    private const double MostGrowth = 64;

    /// <summary>A case that takes longer holds a link up.</summary>
    private const double MostMilliseconds = 1000;

    public string Name => "fuzz";

    public string Description => "Every decoder of network and files against damaged inputs.";

    public string Details =>
        """
        Takes bytes that each decoder accepts (the product's own writers make them) and damages them: flipped bits, cuts,
        splices, lengths and numbers at their extremes; checksums are made right again in most cases, so that what lies behind
        them is reached. Only an answer or a typed error may come out, within a second, without more than a few MiB.
        A case is its number: --sides NAME --seed S --first N --cases 1 does it again. Cases are shared out so that each
        decoder takes about as long. The exit code is 1 when a case breaks a rule.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } = [BenchmarkFlags.Cases, BenchmarkFlags.FuzzSeed, BenchmarkFlags.First, BenchmarkFlags.Sides([.. FuzzTargets.All.Select(static t => t.Name)])];

    public Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop) => Task.Run(() => Run(options, stop), stop);

    private static BenchmarkReport Run(BenchmarkOptions options, CancellationToken stop)
    {
        var targets = FuzzTargets.All.Where(t => options.Sides.Count == 0 || options.Sides.Contains(t.Name)).ToList();
        var outcomes = new List<FuzzOutcome>();
        var before = 0L;
        foreach (var target in targets)
        {
            stop.ThrowIfCancellationRequested();
            var runner = new FuzzRunner(target, options.Seed);
            // Code and buffers that every case needs are no growth.
            if (options.First == 0) runner.Run(0, Math.Min(200, options.Cases), stop);
        }
        GC.GetTotalMemory(forceFullCollection: true);
        before = ResidentBytes.ResetPeak();
        foreach (var target in targets)
        {
            stop.ThrowIfCancellationRequested();
            var outcome = new FuzzRunner(target, options.Seed).Run(options.First, FuzzTargets.ShareOf(target, targets, options.Cases), stop);
            outcomes.Add(outcome);
            options.Progress(outcome.Failure ?? string.Create(CultureInfo.InvariantCulture, $"{target.Name}: {outcome.Cases:N0} cases, {outcome.Taken:N0} taken, {outcome.Cases / Math.Max(1e-9, outcome.Took.TotalSeconds):N0} a second"));
        }
        GC.GetTotalMemory(forceFullCollection: true);
        return Report(options, outcomes, Math.Max(0, ResidentBytes.Now() - before) / 1048576.0);
    }

    private static BenchmarkReport Report(BenchmarkOptions options, List<FuzzOutcome> outcomes, double growth)
    {
        var figures = new List<Figure>
        {
            new("all decoders", "cases", "1", [outcomes.Sum(static o => (double)o.Cases)]),
            new("all decoders", "cases a second", "1/s", [outcomes.Sum(static o => (double)o.Cases) / Math.Max(1e-9, outcomes.Sum(static o => o.Took.TotalSeconds))]),
            new("all decoders", "growth of resident memory", "MiB", [growth]) { Bound = Bound.AtMost(MostGrowth) },
            new("all decoders", "cases that broke a rule", "1", [outcomes.Count(static o => o.Failure is not null)]) { Bound = Bound.AtMost(0) },
        };
        figures.AddRange(outcomes.Select(static o => new Figure("slowest case", o.Target, "ms", [o.Slowest.Time.TotalMilliseconds]) { Bound = Bound.AtMost(MostMilliseconds) }));
        figures.AddRange(outcomes.Select(static o => new Figure("most memory of a case", o.Target, "KiB", [o.MostAllocated / 1024.0])));
        figures.AddRange(outcomes.Select(static o => new Figure("rate", o.Target, "1/s", [o.Cases / Math.Max(1e-9, o.Took.TotalSeconds)])));
        return new BenchmarkReport("fuzz", string.Create(CultureInfo.InvariantCulture, $"{outcomes.Sum(static o => o.Cases):N0} damaged inputs to {outcomes.Count} decoders, seed {options.Seed}"), figures)
        {
            Failed = outcomes.Any(static o => o.Failure is not null),
            Notes = [.. outcomes.Select(static o => o.Failure).OfType<string>()],
        };
    }
}
