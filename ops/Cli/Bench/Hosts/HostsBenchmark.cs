using Cluster.Contracts;

namespace Cluster.Cli.Bench.Hosts;

/// <summary><c>bench hosts</c>: hosts lose power and the network falls apart, over and over, in one run.</summary>
internal sealed class HostsBenchmark : IBenchmark
{
    /// <summary>Steps from one fault to the next: more than pass while one lasts, so that all of them strike.</summary>
    private const int Apart = 40;

    /// <summary>Of the figures that every run over hosts has.</summary>
    internal const string Group = "hosts";

    public string Name => "hosts";

    public string Description => "One run over hosts that lose power and lose each other: no step lost or twice, the same bits.";

    public string Details => """
        Hosts are network namespaces. Host 0 has the coordinator, hosts 1 and 2 a shard (with its standby on the other) and a
        worker each; small-cnn, synthetic images, 40 steps per fault. Every second fault is a host that loses power: it is cut
        off, then all its processes are killed, and 0.3 to 2 s later it comes back. The others are splits, hosts that nobody
        hears, and links of 20 Mbit/s. At the end hash, records and audit are held against those of an undisturbed run in one
        process. Needs Linux, root and iproute2.
        """;

    internal static readonly BenchmarkFlag Faults = new("--faults", "N", "Faults, one after the other.",
        static (o, text) => int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var n) && n is >= 1 and <= Limits.MaxHostFaults
            ? o with { Faults = n }
            : throw new FormatException($"a whole number from 1 to {Limits.MaxHostFaults}"), static o => $"{o.Faults}");

    internal static readonly BenchmarkFlag Tls = new("--tls", "DIR", "Certificates for the nodes, handed on as --tls; unset: --insecure, with a join secret.",
        static (o, text) => Directory.Exists(text) ? o with { Tls = Path.GetFullPath(text) } : throw new FormatException("a folder that exists"), static o => o.Tls);

    public IReadOnlyList<BenchmarkFlag> Flags => [Faults, Tls];

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        HostTrial.Demand(Name);
        var run = new HostRunOptions
        {
            Steps = (int)HostFaults.FirstStep + options.Faults * Apart,
            Security = options.Tls.Length > 0 ? ["--tls", options.Tls] : ["--insecure"],
            Progress = options.Progress,
        };
        var faults = HostFaults.Draw(seed: 1, options.Faults, run.Hosts, Apart);
        var struck = new List<StruckHostFault>();
        var trial = await HostTrial.RunAsync(Name, run, options.Faults, async (running, i) =>
        {
            await running.ReachesAsync(faults[i].Step, stop);
            await Task.Delay(faults[i].IntoStep, stop);
            if (running.IsOver || await running.StrikeAsync(faults[i], stop) is not { } outcome) return false;
            struck.Add(outcome);
            options.Progress($"{struck.Count} of {options.Faults}: {outcome.Fault}, at step {outcome.Fault.Step}; {outcome.Recovery * 1000:0} ms after its end the next record, {outcome.LongestPause * 1000:0} ms at most without one");
            return true;
        }, stop);
        return new BenchmarkReport(Name, $"{struck.Count} faults of hosts in one run of {run.Steps} steps", [.. trial.Steps(), .. Figures(struck)])
        {
            Failed = trial.Failed,
            Notes = trial.Notes(),
        };
    }

    private static IEnumerable<Figure> Figures(List<StruckHostFault> struck)
    {
        foreach (var kind in struck.GroupBy(Subject).OrderBy(static g => g.Key, StringComparer.Ordinal))
        {
            yield return new Figure(kind.Key, "from its end to the next record", "ms", [.. kind.Select(static s => s.Recovery * 1000)]);
            yield return new Figure(kind.Key, "longest time without a record", "ms", [.. kind.Select(static s => s.LongestPause * 1000)]);
        }
    }

    private static string Subject(StruckHostFault struck) => struck.Fault.Kind switch
    {
        HostFaultKind.Kill => struck.Fault.Hosts.Contains(0) ? "power, coordinator's host" : "power, another host",
        HostFaultKind.Split => "split",
        HostFaultKind.OneWay => "one way lost",
        _ => "slow link",
    };
}
