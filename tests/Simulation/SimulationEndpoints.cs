namespace Cluster.Simulation;

/// <summary>Numbers of hosts on the network: shards' nodes, then workers, then one for every coordinator that is started.</summary>
internal static class SimulationEndpoints
{
    private const int FirstWorker = 8, FirstCoordinator = 24;

    /// <summary>Bits of a mask.</summary>
    public const int Count = 64;
    public const int MaxShards = FirstWorker, MaxWorkers = FirstCoordinator - FirstWorker, MaxCoordinators = Count - FirstCoordinator;

    public static int Worker(int index) => FirstWorker + index;
    public static int Coordinator(int number) => FirstCoordinator + number;
    public static ulong Mask(Process process) => 1UL << process.Endpoint;
}
