namespace Cluster.Contracts;

/// <summary>Every bound of the system, with the arithmetic behind it.</summary>
public static class Limits
{
    /// <summary>Floats in a chunk: 256 KiB / 4 B. The unit of sharding, of norm sums and of transfer.</summary>
    public const int ChunkFloats = 65_536;

    /// <summary>Alignment of tensor memory: a cache line and a Vector512.</summary>
    public const int TensorAlignmentBytes = 64;

    /// <summary>Most parameters and buffers of one model: 2^31 floats = 8 GiB, the reach of an int offset.</summary>
    public const long MaxStateFloats = int.MaxValue;

    /// <summary>Most workers of a run. OpenTelemetry keeps 128 links per span; the rest is counted in an attribute.</summary>
    public const int MaxWorkers = 1024;

    /// <summary>Most parameter shards of a run.</summary>
    public const int MaxShards = 256;

    /// <summary>Most microbatches of a step: the tree is then 12 levels deep, and a commit record about 400 KiB.</summary>
    public const int MaxMicrobatches = 4096;

    /// <summary>Most samples of a global batch: the linear-scaling literature ends near 2^16; 16 times that.</summary>
    public const int MaxGlobalBatch = 1 << 20;

    /// <summary>Leaves that a worker prepares ahead: one computing, one ready, one being filled.</summary>
    public const int PrefetchedLeaves = 3;

    /// <summary>Free bytes wanted before a run starts: its logs, and two checkpoints of the state.</summary>
    public static long RequiredFreeBytes(long stateFloats) => 16L * 1024 * 1024 + 2 * 3 * 4 * stateFloats;

    /// <summary>Seconds between checkpoints unless steps are given: at most so much work is computed again after a crash.</summary>
    public const double CheckpointSeconds = 60;

    /// <summary>Bytes reserved ahead for the commit log: room for some 500 records once the disk is full.</summary>
    public const int CommitLogReserveBytes = 1 << 20;

    /// <summary>Most repetitions of a benchmark: a thousand pairs of ten seconds are five hours.</summary>
    public const int MaxBenchmarkPairs = 1000;

    /// <summary>Longest measurement of one side of a benchmark: an hour.</summary>
    public const double MaxBenchmarkSeconds = 3600;

    /// <summary>Most steps of one measurement: the record of each stays on disk until it ends, a million are some 500 MB.</summary>
    public const int MaxBenchmarkSteps = 1_000_000;

    /// <summary>Most parameters of a benchmarked update: the float that <see cref="NativeBuffer"/> can still address; five such arrays are 40 GiB.</summary>
    public const int MaxBenchmarkParameters = int.MaxValue - ChunkFloats;

    /// <summary>Time in which a Python interpreter must have imported torch: seconds from a warm cache, up to a minute from a cold disk.</summary>
    public const int PythonProbeMilliseconds = 120_000;
}
