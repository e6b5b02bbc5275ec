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
}
