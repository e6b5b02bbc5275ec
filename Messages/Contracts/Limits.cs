namespace Cluster.Contracts;

/// <summary>Every bound of the system, with the arithmetic behind it.</summary>
public static partial class Limits
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

    /// <summary>Most devices that one worker drives: more than a machine has.</summary>
    public const int DevicesPerWorker = 64;

    /// <summary>Leaves that a worker of one device prepares ahead: one computing, one ready, one being filled. Of each further device one more is computing.</summary>
    public const int PrefetchedLeaves = 3;

    /// <summary>Free bytes wanted before a run starts: its logs, and two checkpoints of the state.</summary>
    public static long RequiredFreeBytes(long stateFloats) => 16L * 1024 * 1024 + 2 * 3 * 4 * stateFloats;

    /// <summary>Seconds between checkpoints unless steps are given: at most so much work is computed again after a crash.</summary>
    public const double CheckpointSeconds = 60;

    /// <summary>Bytes reserved ahead for the commit log: room for some 500 records once the disk is full.</summary>
    public const int CommitLogReserveBytes = 1 << 20;

    // Link (transport between processes). Every length is checked against these before anything is allocated.

    /// <summary>Bytes of a control message: a commit record of <see cref="MaxMicrobatches"/> leaves is about 400 KiB; room for twice that.</summary>
    public const int LinkControlBytes = 1 << 20;

    /// <summary>Control bytes that wait for a peer that does not read: 16 of the largest messages.</summary>
    public const int LinkControlQueueBytes = 16 * LinkControlBytes;

    /// <summary>Control frames that wait for a peer that does not read: four for each of <see cref="MaxMicrobatches"/> leaves.</summary>
    public const int LinkControlQueueFrames = 4 * MaxMicrobatches;

    /// <summary>Bytes of a bulk frame's header: ids, a tree node, an offset and a trace context are under 100; room for lists of chunks.</summary>
    public const int LinkHeaderBytes = 16 * 1024;

    /// <summary>Floats of one bulk frame: 1 GiB, half a second of a 2 GB/s link. The receiver supplies the memory.</summary>
    public const int LinkBulkFloats = 1 << 28;

    /// <summary>Payload bytes that wait on one link: eight states of an 11 million parameter model at 45 MB, 360 MB, rounded up.</summary>
    public const long LinkBulkQueueBytes = 1L << 29;

    /// <summary>Bulk frames that wait on one link: a queue of full chunks reaches <see cref="LinkBulkQueueBytes"/> at 2,048; twice that.</summary>
    public const int LinkBulkQueueFrames = 4096;

    /// <summary>
    /// Bytes of a piece in which payloads are summed and copied, so that the second finds it in the cache (L2 is 1 MiB and up on servers).
    /// Measured with 64 KiB to 4 MiB: smaller ones cost system calls and wake-ups, larger ones memory traffic.
    /// </summary>
    public const int LinkPieceBytes = 512 * 1024;

    /// <summary>Frame types from here on are the transport's own.</summary>
    public const ushort LinkReservedTypes = 0xFF00;

    /// <summary>Bytes of UTF-8 in a run id, a role or a node name of a handshake.</summary>
    public const int LinkNameBytes = 128;

    /// <summary>Bytes of a dialler's note: a few dozen hashes of 32 bytes.</summary>
    public const int LinkNoteBytes = 2048;

    /// <summary>Bytes of a sentence in a refusal or a goodbye.</summary>
    public const int LinkSentenceBytes = 1024;

    /// <summary>Bytes that somebody unproven may send: a release, three names, a note, a nonce and fixed fields are under 2,700.</summary>
    public const int LinkHelloBytes = 4096;

    /// <summary>Bytes of an acceptor's greeting: a resolved configuration is some 4 KiB, but a list of <see cref="MaxWorkers"/> names 48 KiB. Fits a fresh socket's send buffer.</summary>
    public const int LinkGreetingBytes = 64 * 1024;

    /// <summary>Connections in the middle of their handshake at one listener; 128 of <see cref="LinkHelloBytes"/> are 512 KiB. The oldest silent one makes room.</summary>
    public const int LinkHalfOpen = 128;

    /// <summary>Links whose first connection is proven and whose others are awaited: all workers of a run at once.</summary>
    public const int LinkPending = MaxWorkers;

    // ---- launch: a supervisor and its processes ----

    /// <summary>Restarts of one process without a commit in between before the run is given up: 100 ms + … + 1.6 s = 3.1 s of waiting, and six starts of about a second.</summary>
    public const int RestartsWithoutCommit = 5;

    /// <summary>Wait before the first restart; doubles each time. A process needs longer than this to start, so a crash loop costs at most one core.</summary>
    public const int RestartDelayMilliseconds = 100;

    /// <summary>Longest wait before a restart: a machine that comes back is used again within seconds.</summary>
    public const int MaxRestartDelayMilliseconds = 5_000;

    /// <summary>A process that lived so long while steps were committed starts its back-off anew: twice what a start takes.</summary>
    public const int SteadyMilliseconds = 2_000;

    /// <summary>From SIGTERM to SIGKILL: a worker drains the leaf it computes, a few seconds at most.</summary>
    public const int StopGraceSeconds = 10;

    /// <summary>From SIGTERM to SIGKILL of the process that ends the run: it finishes the open step and writes a checkpoint, 3 x 4 B x 2^31 at 500 MB/s is 52 s.</summary>
    public const int RunStopGraceSeconds = 60;

    /// <summary>How often a child looks whether its supervisor lives, if nothing else tells it.</summary>
    public const int ParentPollMilliseconds = 100;

    /// <summary>An orphan may end in order for so long, then it kills itself. With the poll 1.1 s of the 2 s promised; the rest is for a loaded machine.</summary>
    public const int OrphanGraceMilliseconds = 1_000;

    /// <summary>Longest log line of a child, in bytes; the rest of the line is cut with a note. A commit record's summary is a tenth of it.</summary>
    public const int MaxLogLineBytes = 16 * 1024;

    /// <summary>Lines of a child that are kept for the report of its death: a screenful, at most 20 x 16 KiB per child.</summary>
    public const int KeptLogLines = 20;

    /// <summary>After a child's death its pipes are read for so long: a grandchild may hold them open for ever.</summary>
    public const int PipeDrainMilliseconds = 500;

    /// <summary>Length of a <c>--fault stop</c> unless given: ten leases of 500 ms, so that the stop is noticed.</summary>
    public const double FaultStopSeconds = 5;

    /// <summary>Longest <c>--fault stop</c>.</summary>
    public const double MaxFaultStopSeconds = 3_600;
    /// <summary>Most repetitions of a benchmark: a thousand pairs of ten seconds are five hours.</summary>
    public const int MaxBenchmarkPairs = 1000;

    /// <summary>Longest measurement of one side of a benchmark: an hour.</summary>
    public const double MaxBenchmarkSeconds = 3600;

    /// <summary>Most steps of one measurement: the record of each stays on disk until it ends, a million are some 500 MB.</summary>
    public const int MaxBenchmarkSteps = 1_000_000;

    /// <summary>Most parameters of a benchmarked update: the float that <see cref="NativeBuffer"/> can still address; five such arrays are 40 GiB.</summary>
    public const int MaxBenchmarkParameters = int.MaxValue - ChunkFloats;

    /// <summary>Most files that a benchmark makes: fifteen times ImageNet; a disk has some 16 million names per TB.</summary>
    public const int MaxBenchmarkFiles = 20_000_000;

    /// <summary>Inputs of one fuzzing: a day of it.</summary>
    public const int MaxBenchmarkCases = 2_000_000_000;

    /// <summary>Time in which a Python interpreter must have imported torch: seconds from a warm cache, up to a minute from a cold disk.</summary>
    public const int PythonProbeMilliseconds = 120_000;

    // ---- membership ----

    /// <summary>Joins of one name within <see cref="JoinWindowSeconds"/> before it is let in more slowly: a supervisor's whole row of restarts without a commit, and the first start.</summary>
    public const int FreeJoins = RestartsWithoutCommit + 1;

    /// <summary>See <see cref="FreeJoins"/>. A node that stays for a minute is steady.</summary>
    public const int JoinWindowSeconds = 60;

    /// <summary>First hold-off of a flapping node; doubles each time.</summary>
    public const int FirstHoldOffSeconds = 1;

    /// <summary>Longest hold-off: with the window above, two joins a minute of a node that flaps for ever.</summary>
    public const int MaxHoldOffSeconds = 30;

    /// <summary>After a takeover the names of the run's nodes are kept for them so long: a supervisor's longest back-off and a start.</summary>
    public const int ReservedNameSeconds = 10;

    /// <summary>Longest address or sentence that a node may say of itself, in characters: a Unix path has 108, a DNS name 253.</summary>
    public const int MaxMemberText = 512;

    // ---- remoting: actors' messages over links ----

    /// <summary>Bulk messages of one link that have begun to arrive: a peer's nodes to all slots of this process, four at a time.</summary>
    public const int RemoteTransfers = 4 * MaxShards;

    /// <summary>Longest head of a bulk message: the records since the last checkpoint are 190 bytes each with eight leaves; a million of them.</summary>
    public const int RemoteHeadBytes = 192 * 1024 * 1024;
    /// <summary>
    /// Send buffer of a Unix socket. It wakes its reader per buffer: a small one costs context switches, one larger than the
    /// caches costs memory traffic. TCP's is left to the kernel, which tunes it; setting it by hand ends that.
    /// </summary>
    public const int LinkUnixSendBufferBytes = 1 << 20;

    /// <summary>Steps after which the commit log is flushed even without a checkpoint: the shards remember no more records than that, 0.8 MB at 190 bytes each.</summary>
    public const int FlushedSteps = 4_096;

    // ---- nodes at the coordinator's door ----

    /// <summary>How long a node asks for a place that another process has: ten leases of 500 ms, within which the death of that process is noticed.</summary>
    public const int TakenPlaceSeconds = 5;

    /// <summary>Refusals that are told one by one within <see cref="RefusalWindowSeconds"/>; the others are counted. A thousand strangers a second are then two lines of events.jsonl a minute after the first ten.</summary>
    public const int ToldRefusals = 10;

    /// <summary>See <see cref="ToldRefusals"/>.</summary>
    public const int RefusalWindowSeconds = 60;

    // ---- the fault proxy ----

    /// <summary>Bytes of one read of the proxy, and under way in one direction of a connection that is not delayed: what a Unix socket holds (208 KiB), rounded up.</summary>
    public const int ProxyReadBytes = 256 * 1024;

    /// <summary>Bytes under way in one direction of a delayed connection: 70 ms at 100 MB/s are 7 MB; rounded up. Beyond it the sender waits, as for a TCP window.</summary>
    public const int ProxyDelayedBytes = 8 << 20;

    /// <summary>Bytes that a connection writes in one turn at a limited rate: 50 heartbeats, so that they pass between the tensors as over a fair queue.</summary>
    public const int ProxyTurnBytes = 4096;

    /// <summary>Connections through one proxy: three for each of some 300 nodes; two descriptors each. More wait in the backlog.</summary>
    public const int ProxyConnections = 1000;

    /// <summary>Smallest read that <c>corrupt</c>, <c>duplicate</c> and <c>reorder</c> strike: twice a handshake message, so that they strike tensors.</summary>
    public const int ProxyLargeSegmentBytes = 8192;

    /// <summary>Longest delay of a proxy, in milliseconds: a minute, a hundred leases.</summary>
    public const int MaxProxyDelayMilliseconds = 60_000;

    // ---- faults and what nodes say of themselves ----

    /// <summary>What a node keeps to tell a coordinator that is away: a minute of an event a second; older ones have been printed.</summary>
    public const int KeptNodeNews = 60;

    /// <summary>Events that a node may tell of itself within <see cref="RefusalWindowSeconds"/>: one a second; at 512 characters each, 1,024 nodes write 31 MB a minute at worst.</summary>
    public const int ToldNodeNews = 60;

    /// <summary>How often a supervisor looks at the memory of its children: one small file per child and second.</summary>
    public const int MemorySampleMilliseconds = 1_000;

    /// <summary>How long a worker that was called hung may stay so before it is killed and started again: five times the least budget of 2 s, since a restart costs seconds and what it hangs in may come back.</summary>
    public const int HungPatienceMilliseconds = 10_000;

    /// <summary>How often a process looks whether it was stopped.</summary>
    public const int PauseLookMilliseconds = 100;

    /// <summary>A process that was away for so long says so: twice the lease after which others give it up, since a machine under load keeps a thread waiting for tenths of a second.</summary>
    public const int PauseMilliseconds = 1_000;

    /// <summary>A shard that is waited for is never called late before: half of the 2 s within which it is to be named.</summary>
    public const double ShardLateMilliseconds = 1_000;

    // ---- chaos: faults against real processes ----

    /// <summary>Largest plan of faults: <see cref="MaxPlannedFaults"/> rows of a hundred bytes, five times over.</summary>
    public const int MaxPlanBytes = 1 << 20;

    /// <summary>Most faults of a plan: each is an argument of some 30 bytes, and Linux takes 2 MiB of arguments and environment; a quarter of that twice over.</summary>
    public const int MaxPlannedFaults = 2_000;

    /// <summary>How often the commit log is looked at for new records: recovery times are known to so much.</summary>
    public const int CommitTailMilliseconds = 5;

    /// <summary>A disturbed run without a new record for so long is stuck: the longest default fault is five seconds, a start with replay a minute on a slow machine; five of those.</summary>
    public const int ChaosPatienceSeconds = 300;

    /// <summary>A supervisor's processes end within this time of its death: a promise of docs/launch.md.</summary>
    public const int OrphanSeconds = 2;

    /// <summary>Points of a curve in report.html: twice the pixels of a wide screen.</summary>
    public const int ReportCurvePoints = 2_000;

    /// <summary>Faults that report.html shows: at 3 KB each, marks included, a third of the 2 MB that the page may have.</summary>
    public const int ReportFaultRows = 250;

    /// <summary>Lanes of processes in report.html: what a person scrolls through.</summary>
    public const int ReportLanes = 64;

    /// <summary>Sentences about what was done after one fault: the report is read, not searched.</summary>
    public const int ReportAnswers = 4;

    /// <summary>Rows of the timeline in report.html: at 400 bytes each a third of the 2 MB.</summary>
    public const int ReportEventRows = 1_600;

    // ---- traces ----

    /// <summary>Bytes of a segment of traces.jsonl, of which there are two: at some 10 KB a step the last 12,000 steps at least.</summary>
    public const long TraceSegmentBytes = 128L << 20;

    /// <summary>Traces that wait for the decision whether they stay: ten seconds of a hundred steps a second.</summary>
    public const int TracesUndecided = 1_024;

    /// <summary>Bytes at the end of traces.jsonl that a coordinator reads when it goes on with a run: what may lack the roots of steps lies there.</summary>
    public const long TraceTailBytes = 16L << 20;

    // ---- shared memory between processes of one machine ----

    /// <summary>Floats of the smallest buffer that gets a segment of its own: 64 KiB. Less is copied in the time in which a descriptor is handed over and mapped.</summary>
    public const int SharedBufferFloats = 16 * 1024;

    /// <summary>Segments of a process, each with a descriptor: a role has some ten tensors per shard and per step under way; a quarter of the usual 1,024 descriptors.</summary>
    public const int SharedSegments = 256;

    /// <summary>Segments of one peer that are mapped: all that it can have.</summary>
    public const int LinkSegments = SharedSegments;

    /// <summary>Bytes of one peer's segments that are mapped: address space, the memory is the peer's. Two of the largest states of 8 GiB.</summary>
    public const long LinkMappedBytes = 16L << 30;

    /// <summary>Descriptors that have come and belong to no frame yet: each comes with its own frame, so one; room for those of frames that read-ahead brought along.</summary>
    public const int LinkDescriptors = 8;

    // ---- optimizer ----

    /// <summary>Most parameter groups of a run: each is looked for in some hundred names once; a person writes a handful.</summary>
    public const int MaxParameterGroups = 64;

    // Images.

    /// <summary>Bytes of one encoded image; ImageNet's largest has 15 MB.</summary>
    public const int MaxEncodedImageBytes = 64 << 20;

    /// <summary>Pixels on a side of an image that is decoded; libjpeg-turbo's own bound is 65,500.</summary>
    public const int MaxImageSide = 20_000;

    /// <summary>Pixels of an image that is decoded: what a small file can claim is more than memory holds.</summary>
    public const int MaxImagePixels = 100_000_000;

    /// <summary>So many samples of a step that cannot be decoded are left out of it whatever its size; beyond, at most half of the step: more is not a few damaged images.</summary>
    public const int FewUndecoded = 8;

    /// <summary>Most samples that a step leaves out: at 5 bytes each 80 KiB beside a record of 400 KiB, within <see cref="LinkControlBytes"/>.</summary>
    public const int MaxLeftOut = 16_384;

    /// <summary>Samples that one report names: 256 reasons of at most 768 bytes are 192 KiB, within <see cref="LinkControlBytes"/>.</summary>
    public const int ReportedUndecoded = 256;

    /// <summary>Characters of the reason why a sample cannot be decoded: a path and a few words.</summary>
    public const int UndecodedReasonLength = 256;

    /// <summary>Samples of one report that events.jsonl tells one by one; the others are counted, and the commit record has them all.</summary>
    public const int ToldUndecoded = 4;

    /// <summary>Scans of a progressive JPEG; encoders write about ten, and each costs a walk over the whole image (libjpeg-turbo's own advice is 500).</summary>
    public const int MaxImageScans = 500;

    /// <summary>Threads that decode, of one process.</summary>
    public const int MaxDecodeThreads = 256;

    // Shards.

    /// <summary>Bytes of a block of samples, about: large enough that a disk that seeks reads rather than seeks (10 ms against 15 ms at 130 MB/s).</summary>
    public const int ShardBlockBytes = 2 << 20;

    /// <summary>Most bytes of one block where samples differ in size; only a block of one sample may be larger.</summary>
    public const int MaxShardBlockBytes = 16 << 20;

    /// <summary>Blocks that are mixed with each other: 64 MiB, some 500 images of ImageNet. Two windows and <see cref="SpareShardBlocks"/> are in memory.</summary>
    public const int ShardWindowBlocks = 32;

    /// <summary>Blocks in memory besides those of the order: one for each of some threads that are late or early.</summary>
    public const int SpareShardBlocks = 8;

    /// <summary>Samples of a block, at most: a block of MNIST's digits is then not a third of the set.</summary>
    public const int MaxShardBlockSamples = 1024;

    /// <summary>Bytes of an index of shards: 20 a sample, so 50 million samples.</summary>
    public const int MaxShardIndexBytes = 1 << 30;

    /// <summary>Shards of a split: 100,000 of 256 MiB are 26 TB.</summary>
    public const int MaxShardFiles = 100_000;

    /// <summary>Images that are read by blocks after one was not in the page cache, before that is tried again: some blocks of small ones.</summary>
    public const int ReadsPastPageCache = 4096;

    /// <summary>As the last, for a set that is never found there.</summary>
    public const int MostReadsPastPageCache = 1 << 20;

    /// <summary>Shards that are held open; others are opened for each block, which costs 10 us of its milliseconds. Half of the usual 1,024 descriptors.</summary>
    public const int OpenShardFiles = 512;

    /// <summary>Classes of a packed set: ImageNet-21k has 21,841.</summary>
    public const int MaxClasses = 1 << 20;

    /// <summary>Bytes of a name in an archive, and of a class: PATH_MAX.</summary>
    public const int MaxArchiveNameBytes = 4096;
}
