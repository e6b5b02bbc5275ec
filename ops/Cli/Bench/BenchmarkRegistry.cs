namespace Cluster.Cli.Bench;

/// <summary>The benchmarks that <c>cluster bench</c> knows; a new one is a line here.</summary>
internal static class BenchmarkRegistry
{
    public static IReadOnlyList<IBenchmark> All { get; } =
    [
        new Peers.PeersBenchmark(),
        new LinkBenchmark(),
        new Update.UpdateBenchmark(),
        new Protocol.StepBenchmark(),
        new Protocol.RecoveryBenchmark(),
        new Protocol.AlarmsBenchmark(),
        new Monitoring.MonitoringBenchmark(),
        new Decode.DecodeBenchmark(),
        new Listing.ListingBenchmark(),
        new Shards.ShardsBenchmark(),
        new Fuzz.FuzzBenchmark(),
        new Hosts.HostsBenchmark(),
        new Hosts.TakeoverBenchmark(),
    ];
}
