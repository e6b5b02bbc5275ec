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
        coordinator and one shard share the same cores. Counted: events that name a culprit (lost, hung, late, silent, paused,
        refused). Round trips are those of the heartbeats, as the coordinator sees them.
        With --steps N: a model without arithmetic, so many steps as fast as the protocol goes, nothing else on the cores.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags => [BenchmarkFlags.Seconds, BenchmarkFlags.Workers, BenchmarkFlags.Steps];

    /// <summary>Kinds of events.jsonl that say that something is wrong with somebody; in a run without faults none may come.</summary>
    private static readonly string[] Accusations =
    [
        "worker-lost", "worker-hung", "worker-late", "shard-lost", "shard-late", "coordinator-paused", "non-finite", "unvouched", "commit-waits", "term-waits", "log-waits",
        "checkpoint-failed", "node-refused", "node-unfit", "link-lost", "stepped-down", "restored", "failed",
    ];

    public BenchmarkOptions Defaults => new() { Seconds = 600, Workers = Environment.ProcessorCount };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var trips = new List<double>();
        var instrumentName = ClusterTelemetry.LinkRoundTrip.Name;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == instrumentName) listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<double>((_, seconds, _, _) =>
        {
            lock (trips) trips.Add(seconds * 1_000);
        });
        meters.Start();
        var alarms = new List<string>();
        long steps = 0;
        var isEmpty = options.Steps is not null;
        var load = isEmpty ? new LeafLoad(0) : new LeafLoad(LeafMilliseconds, IsBurning: true, Floats);
        await using (var run = ProtocolRun.Start([.. Enumerable.Repeat(load, options.Workers)], Microbatches, options.Steps ?? 1_000_000))
        {
            run.OnCommitted = step =>
            {
                steps = step;
                if (isEmpty && step % 1_000 == 0) options.Progress($"{step} steps");
            };
            if (isEmpty) await run.FinishAsync(stop);
            else await Task.Delay(TimeSpan.FromSeconds(options.Seconds), stop);
            // What comes when the run is being stopped is no alarm.
            alarms.AddRange(run.Events().Where(static e => Accusations.Contains(e.Kind)).Select(static e => $"{e.Kind}: {e.Sentence}"));
            if (steps == 0) throw new BenchmarkException("no step was committed: nothing was measured");
        }
        foreach (var alarm in alarms) options.Progress(alarm);
        double[] sorted;
        lock (trips) sorted = [.. trips.Order()];
        if (sorted.Length == 0) throw new BenchmarkException("no heartbeat was measured: the run was too short");
        return new BenchmarkReport(Name, isEmpty ? $"{steps} steps without arithmetic" : $"{options.Seconds:0} s of full load, {steps} steps of {Floats:N0} floats",
        [
            new Figure("", "false alarms", "1", [alarms.Count]) { Bound = Bound.AtMost(0) },
            new Figure("round trip of heartbeats", "median", "ms", [sorted[sorted.Length / 2]]),
            new Figure("round trip of heartbeats", "99th percentile", "ms", [sorted[(int)(sorted.Length * 0.99)]]) { Bound = Bound.AtMost(100) },
            new Figure("round trip of heartbeats", "longest", "ms", [sorted[^1]]),
        ])
        { Failed = alarms.Count > 0 };
    }
}
