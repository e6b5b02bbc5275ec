using System.Diagnostics.Metrics;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Protocol;

/// <summary><c>bench alarms</c>: nobody may be called dead who is only busy.</summary>
internal sealed class AlarmsBenchmark : IBenchmark
{
    private const int Microbatches = 8, Floats = 11_200_000;
    private const double LeafMilliseconds = 60;

    public string Name => "alarms";

    public string Description => "False alarms while all cores compute and full-size gradients travel.";

    public string Details => """
        One worker process per core burns 60 ms per leaf without a pause and pushes nodes of 11.2 million floats; the
        coordinator and one shard share the same cores. Counted: nodes that were called lost or hung. Round trips are those of
        the heartbeats, as the coordinator sees them.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags => [BenchmarkFlags.Seconds, BenchmarkFlags.Workers];

    public BenchmarkOptions Defaults => new() { Seconds = 600, Workers = Environment.ProcessorCount };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var trips = new List<double>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument, ClusterTelemetry.LinkRoundTrip)) listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<double>((_, seconds, _, _) =>
        {
            lock (trips) trips.Add(seconds * 1_000);
        });
        meters.Start();
        var alarms = new List<string>();
        long steps = 0;
        var leaves = Enumerable.Repeat(new LeafLoad(LeafMilliseconds, IsBurning: true, Floats), options.Workers).ToArray();
        await using (var run = ProtocolRun.Start(leaves, Microbatches, steps: 1_000_000))
        {
            run.OnCommitted = step => steps = step;
            run.OnSaid = sentence =>
            {
                if (sentence.Contains(" is lost", StringComparison.Ordinal) || sentence.Contains("has reported no leaf", StringComparison.Ordinal))
                    lock (alarms) alarms.Add(sentence);
            };
            await Task.Delay(TimeSpan.FromSeconds(options.Seconds), stop);
            run.OnSaid = null;
            if (steps == 0) throw new BenchmarkException("no step was committed: nothing was measured");
        }
        foreach (var alarm in alarms) options.Progress(alarm);
        double[] sorted;
        lock (trips) sorted = [.. trips.Order()];
        return new BenchmarkReport(Name, $"{options.Seconds:0} s of full load, {steps} steps of {Floats:N0} floats",
        [
            new Figure("", "false alarms", "1", [alarms.Count]) { Bound = Bound.AtMost(0) },
            new Figure("round trip of heartbeats", "median", "ms", [sorted[sorted.Length / 2]]),
            new Figure("round trip of heartbeats", "99th percentile", "ms", [sorted[(int)(sorted.Length * 0.99)]]) { Bound = Bound.AtMost(100) },
            new Figure("round trip of heartbeats", "longest", "ms", [sorted[^1]]),
        ]);
    }
}
