using Cluster.Contracts;
using Cluster.Membership;

namespace Cluster.Cli.Bench.Hosts;

/// <summary><c>bench takeover</c>: the coordinator's host loses power, over and over, and another coordinator goes on.</summary>
internal sealed class TakeoverBenchmark : IBenchmark
{
    /// <summary>Steps from one loss to the next, at least: more than pass until a host that came back stands by again.</summary>
    private const int Apart = 60;

    private const string Group = "takeover";

    /// <summary>What a takeover may take on top of the configured times: promises of the shards, the log, and the step that was lost.</summary>
    private static readonly TimeSpan Work = TimeSpan.FromSeconds(3);

    /// <summary>Whatever the times are.</summary>
    private static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(15);

    public string Name => "takeover";

    public string Description => "Akka.Cluster: the coordinator's host loses power; how long until the next step is recorded.";

    public string Details => """
        Hosts are network namespaces. Hosts 0 and 1 have a coordinator each over one folder, hosts 2 and 3 a shard and a worker
        each; small-cnn, synthetic images, --membership akka with the times that the product ships with. The host of whoever has
        the seat is cut off and all its processes are killed; once the other coordinator has recorded a step it comes back and
        stands by. At the end hash, records and audit are held against those of an undisturbed run in one process. Needs a build
        with -p:Feed=full, Linux, root and iproute2.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags => [HostsBenchmark.Faults, HostsBenchmark.Tls];

    public BenchmarkOptions Defaults => new() { Faults = 20 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        if (!MembershipEngines.HasAkka) throw new UserMistakeException("bench takeover measures Akka.Cluster, which this build lacks: start it with './cluster bench takeover -p:Feed=full -p:RestoreAdditionalProjectSources=DIR' (ops/decisions/0022 says how to fill DIR)");
        HostTrial.Demand(Name);
        var run = new HostRunOptions
        {
            Gossips = true,
            Steps = (int)HostFaults.FirstStep + ((options.Faults + 1) * Apart),
            Security = options.Tls.Length > 0 ? ["--tls", options.Tls] : ["--insecure"],
            Progress = options.Progress,
        };
        var seconds = new List<double>();
        var trial = await HostTrial.RunAsync(Name, run, options.Faults, async (running, i) =>
        {
            await running.ReachesAsync(HostFaults.FirstStep + ((long)i * Apart), stop);
            await running.StandbyAsync(stop);
            if (running.IsOver || running.Seat is not { } host || await running.SurviveAsync(host, stop) is not { } taken) return false;
            seconds.Add(taken);
            options.Progress($"{seconds.Count} of {options.Faults}: host {host} with the coordinator loses power; {taken:0.0} s to the next record, by host {running.Seat}");
            return true;
        }, stop);
        return new BenchmarkReport(Name, $"{seconds.Count} times the coordinator's host lost power in one run of {run.Steps} steps", [.. trial.Steps(), .. Figures(seconds)])
        {
            Failed = trial.Failed,
            Notes =
            [
                .. trial.Notes(),
                $"Configured: detection {EngineTimes.Default.Detection.TotalSeconds:0.0} s and succession {EngineTimes.Default.Succession.TotalSeconds:0.0} s; the bound is their sum and {Work.TotalSeconds:0} s, and below {Ceiling.TotalSeconds:0} s in any case.",
            ],
        };
    }

    private static IEnumerable<Figure> Figures(List<double> seconds)
    {
        if (seconds.Count == 0) yield break;
        var bound = EngineTimes.Default.Takeover + Work;
        yield return new Figure(Group, "from the loss to the next record", "s", seconds);
        // Nearest rank: of 20 the 19th.
        var p95 = seconds.Order().ElementAt((int)Math.Ceiling(0.95 * seconds.Count) - 1);
        yield return new Figure(Group, "p95 of it", "s", [p95]) { Bound = Bound.AtMost((bound < Ceiling ? bound : Ceiling).TotalSeconds) };
    }
}
