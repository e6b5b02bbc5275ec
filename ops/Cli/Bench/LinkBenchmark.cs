using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Bench;

/// <summary>Our transport against a raw socket of the same kind, between two processes, in turn.</summary>
internal sealed class LinkBenchmark : IBenchmark
{
    /// <summary>Payloads of one measurement: 450 MB, long enough for the CPU clock.</summary>
    private const int Payloads = 10;

    /// <summary>Round trips of one measurement; the 99th percentile then stands on 30.</summary>
    private const int RoundTrips = 3000;

    private const string Tcp = "tcp", Unix = "unix", UnixCopied = "unix-copied", Tls = "tls";

    public string Name => "link";

    public string Description => "Our transport against raw sockets: bandwidth, CPU, round trip.";

    public string Details =>
        """
        Two processes of this machine, Unix and TCP sockets: 45 MB tensors and 64-byte messages, over a raw socket and over a link in
        turn. The raw side is plain socket calls out of native memory, with the same buffer sizes and no checksum. CPU seconds are of
        both processes. Over Unix sockets a link hands tensors over in memory that both processes map; the receiver copies them into
        memory of its own, as the raw side's does, and once more takes them where they lie. The side unix-copied goes without.
        The side tls is mutual TLS 1.3 over TCP against the run-time's own SslStream with the same cipher suite, in turn as well.
        Last, for --seconds, round trips of the link while it carries tensors all the time and every core computes.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } = [BenchmarkFlags.Pairs, BenchmarkFlags.Seconds, BenchmarkFlags.Sides([Unix, UnixCopied, Tcp, Tls])];

    public BenchmarkOptions Defaults { get; } = new() { Pairs = 9, Seconds = 10 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var figures = new List<Figure>();
        // Native work and waiting: on a thread of its own, not on the pool.
        await Task.Factory.StartNew(() => Measure(options, figures, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return new BenchmarkReport(Name, "45 MB tensors and 64-byte messages between two processes: a link against a raw socket of its kind", figures)
        {
            Notes =
            [
                "Through a socket the link frames and sums (CRC32C) every byte on both sides; the raw socket does nothing but carry them. Memory that both processes map is neither carried nor summed.",
                "A ratio is taken per pair; its median is not the ratio of the medians.",
            ],
        };
    }

    private static void Measure(BenchmarkOptions options, List<Figure> figures, CancellationToken stop)
    {
        foreach (var side in options.Sides.Count > 0 ? options.Sides : [Unix, UnixCopied, Tcp, Tls])
        {
            var address = side is Unix or UnixCopied
                ? new LinkAddress(LinkTransportKind.Unix, Path.Combine(Path.GetTempPath(), $"cluster-bench-{Environment.ProcessId}.sock"), 0)
                : new LinkAddress(LinkTransportKind.Tcp, "127.0.0.1", 0);
            using var certificates = side == Tls ? new BenchmarkCertificates() : null;
            using var measurement = new LinkMeasurement(address, isShared: side == Unix, StartPeer, certificates?.Folder);
            if (side == Tls) options.Progress($"tls, cipher suite {measurement.Suite}");
            Measure(side, measurement, options, figures, stop);
        }
    }

    private static void Measure(string side, LinkMeasurement measurement, BenchmarkOptions options, List<Figure> figures, CancellationToken stop)
    {
        var (raw, link) = (new List<LinkThroughput>(), new List<LinkThroughput>());
        var (rawTrips, linkTrips) = (new List<LinkRoundTrips>(), new List<LinkRoundTrips>());
        var handed = new List<double>();
        Action[] steps =
        [
            () => raw.Add(measurement.Raw(Payloads)), () => link.Add(measurement.OverLink(Payloads)),
            () => rawTrips.Add(measurement.RawRoundTrips(RoundTrips)), () => linkTrips.Add(measurement.LinkRoundTrips(RoundTrips)),
        ];
        if (side == Unix) steps = [.. steps, () => handed.Add(measurement.HandOver(Payloads))];
        // The runtime compiles the loops anew while they run: two rounds for it.
        for (var round = -2; round < options.Pairs; round++)
        {
            stop.ThrowIfCancellationRequested();
            if (round == 0)
            {
                raw.Clear();
                link.Clear();
                rawTrips.Clear();
                linkTrips.Clear();
                handed.Clear();
            }
            foreach (var step in round % 2 == 0 ? steps : steps.Reverse()) step();
            if (round >= 0) options.Progress(string.Create(CultureInfo.InvariantCulture, $"{side}, pair {round + 1} of {options.Pairs}: raw {raw[^1].MegabytesPerSecond:0} MB/s, link {link[^1].MegabytesPerSecond:0} MB/s"));
        }
        var loaded = measurement.LinkRoundTripsUnderLoad(TimeSpan.FromSeconds(options.Seconds));
        if (measurement.Closure is { } closure) throw new BenchmarkException($"the {side} link ended in the measurement: {closure}");

        Figure rawRate = new(side, "raw socket", "MB/s", [.. raw.Select(static r => r.MegabytesPerSecond)]), rate = new(side, "link", "MB/s", [.. link.Select(static r => r.MegabytesPerSecond)]);
        Figure rawCpu = new(side, "raw socket, CPU", "s/GB", [.. raw.Select(static r => r.CpuSecondsPerGigabyte)]), cpu = new(side, "link, CPU", "s/GB", [.. link.Select(static r => r.CpuSecondsPerGigabyte)]);
        Figure rawMedian = new(side, "raw socket, round trip, median", "us", [.. rawTrips.Select(static r => r.Median)]), median = new(side, "link, round trip, median", "us", [.. linkTrips.Select(static r => r.Median)]);
        figures.AddRange(
        [
            rawRate, rate, Figure.Ratio(side, "link / raw socket, rate", rate, rawRate) with { Bound = Bound.AtLeast(side == Tls ? 0.85 : 0.9) },
            rawCpu, cpu, Figure.Ratio(side, "link / raw socket, CPU", cpu, rawCpu) with { Bound = Bound.AtMost(1.3) },
            rawMedian, median, Figure.Ratio(side, "link / raw socket, round trip", median, rawMedian) with { Bound = Bound.AtMost(1.5) },
            new Figure(side, "raw socket, round trip, p99", "us", [.. rawTrips.Select(static r => r.P99)]),
            new Figure(side, "link, round trip, p99", "us", [.. linkTrips.Select(static r => r.P99)]),
            new Figure(side, "link, round trip under full load, median", "ms", [loaded.Median / 1000]),
            new Figure(side, "link, round trip under full load, p99", "ms", [loaded.P99 / 1000]) { Bound = Bound.AtMost(100) },
        ]);
        if (handed.Count > 0) figures.Add(new Figure(side, "link, 45 MB taken where they lie", "us", [.. handed]));
    }

    /// <summary>This program again, whether it runs as an executable or under <c>dotnet</c>; the environment tells it that it is the other process.</summary>
    private static Process StartPeer(string addresses)
    {
        var program = Environment.ProcessPath ?? throw new BenchmarkException("this program's own path is unknown, so the other process cannot be started");
        var start = new ProcessStartInfo(program) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") start.ArgumentList.Add(Assembly.GetEntryAssembly()!.Location);
        start.Environment[LinkPeer.Variable] = addresses;
        return Process.Start(start) ?? throw new BenchmarkException("the other process did not start");
    }
}
