using System.Diagnostics.Metrics;
using System.Reflection;

namespace Cluster.Contracts;

// Names are dotted, units are UCUM's and stand in the unit alone. An instrument has one tag at most, from a closed set.
public static partial class ClusterTelemetry
{
    private static readonly Meter Meter = new(SourceName);

    /// <summary>Bounds of buckets in seconds: steps, leaves, checkpoints.</summary>
    private static readonly InstrumentAdvice<double> Work = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60] };

    /// <summary>Bounds of buckets in seconds: what should be over at once.</summary>
    private static readonly InstrumentAdvice<double> Waits = new() { HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] };

    public static readonly Histogram<double> StepDuration = Seconds("train.step.duration", "Begin to commit of one step.", Work);

    public static readonly Histogram<double> PartDuration = Seconds("train.step.part.duration", "Parts of steps as their kept traces show them, by part and node.", Work);

    public static readonly Gauge<long> LastStep = Meter.CreateGauge<long>("train.step.last", "{step}", "Number of the last committed step.");

    public static readonly Gauge<long> PlannedSteps = Meter.CreateGauge<long>("train.step.planned", "{step}", "Number of the step that the run ends with.");

    public static readonly Counter<long> CommittedSteps = Meter.CreateCounter<long>("train.steps.committed", "{step}", "Steps that were committed since this process began to carry the run.");

    public static readonly Counter<long> SkippedSteps = Meter.CreateCounter<long>("train.steps.skipped", "{step}", "Committed steps whose gradient was not finite and was not applied.");

    public static readonly Counter<long> Samples = Meter.CreateCounter<long>("train.samples", "{sample}", "Samples of committed steps.");

    public static readonly Counter<long> LeftOutSamples = Meter.CreateCounter<long>("train.samples.left_out", "{sample}", "Samples that committed steps left out because they could not be decoded.");

    public static readonly Gauge<double> Throughput = Meter.CreateGauge<double>("train.throughput", "{sample}/s", "Samples of committed steps per second, over the recent steps.");

    public static readonly Gauge<double> Loss = Meter.CreateGauge<double>("train.loss", "{nat}", "Mean training loss of the last step.");

    public static readonly Gauge<double> Accuracy = Meter.CreateGauge<double>("train.accuracy", "1", "Share of the last step's samples that were right.");

    public static readonly Gauge<double> LearningRate = Meter.CreateGauge<double>("train.learning_rate", description: "Learning rate of the last step.");

    public static readonly Gauge<double> GradientNorm = Meter.CreateGauge<double>("train.gradient.norm", description: "Norm of the last step's mean gradient before clipping; NaN or infinite when the gradient was.");

    public static readonly Gauge<double> ClipScale = Meter.CreateGauge<double>("train.clip.scale", "1", "Factor of the last step's clipping; 1 = nothing was clipped.");

    public static readonly Gauge<double> TestLoss = Meter.CreateGauge<double>("train.evaluation.loss", "{nat}", "Mean loss of the last evaluation.");

    public static readonly Gauge<double> TestAccuracy = Meter.CreateGauge<double>("train.evaluation.accuracy", "1", "Share of samples that were right in the last evaluation.");

    public static readonly Gauge<double> StragglerRatio = Meter.CreateGauge<double>("train.straggler.ratio", "1", "Time per leaf of the slowest worker over that of the median one, over the last seconds; 1 = all are alike.");

    public static readonly Counter<long> RecomputedLeaves = Meter.CreateCounter<long>("train.leaves.recomputed", "{leaf}", "Leaves that were leased once more than the committed steps needed.");

    public static readonly Histogram<double> CheckpointDuration = Seconds("train.checkpoint.duration", "Writing one checkpoint.", Work);

    public static readonly Gauge<double> CheckpointAge = Meter.CreateGauge<double>("train.checkpoint.age", "s", "Since the last checkpoint was written, or since the start when there is none yet.");

    public static readonly Counter<long> Events = Meter.CreateCounter<long>("train.events", "{event}", "Lines of events.jsonl, by kind.");

    public static readonly Gauge<long> Nodes = Meter.CreateGauge<long>("train.nodes", "{node}", "Processes that have reported within 15 seconds, by role.");

    public static readonly Counter<long> DroppedSpans = Meter.CreateCounter<long>("train.spans.dropped", "{span}", "Spans that a process threw away for want of room, by node.");

    public static readonly Counter<long> DroppedCalls = Meter.CreateCounter<long>("train.watch.dropped", "{call}", "News of the run that its watchers were too slow for.");

    public static readonly Counter<long> MetricOverflow = Meter.CreateCounter<long>("train.metrics.overflow", "{figure}", "Figures that were left out because an instrument had too many tag values, or is not known.");

    public static readonly Histogram<double> LeafDuration = Seconds("train.leaf.duration", "Forward and backward of one leaf on a worker; its count is the leaves computed.", Work);

    public static readonly Counter<long> ComputedSamples = Meter.CreateCounter<long>("train.samples.computed", "{sample}", "Samples that a worker computed, for steps that were committed or not.");

    public static readonly Histogram<double> DataWait = Seconds("train.data.wait", "Time that a worker's device waited for a prepared leaf.", Waits);

    public static readonly Histogram<double> ChunkLatency = Seconds("train.chunk.latency", "From the receipt of a gradient node by a shard to the end of its reduction.", Waits);

    public static readonly UpDownCounter<long> QueueDepth = Meter.CreateUpDownCounter<long>("train.queue.depth", "{item}", "Jobs that wait for a worker's device, tensors that wait to be sent, by queue.");

    public static readonly Counter<long> RefusedMessages = Meter.CreateCounter<long>("train.messages.refused", "{message}", "Messages refused as stale, duplicate or superseded, by reason.");

    public static readonly Counter<long> LinkSent = Meter.CreateCounter<long>("train.link.sent", "By", "Bytes written to peers, by lane.");

    public static readonly Counter<long> LinkReceived = Meter.CreateCounter<long>("train.link.received", "By", "Bytes of whole frames read from peers, by lane.");

    public static readonly Counter<long> LinkRefusedFrames = Meter.CreateCounter<long>("train.link.frames.refused", "{frame}", "Frames that were not delivered, by reason.");

    public static readonly Counter<long> LinkRefusedHandshakes = Meter.CreateCounter<long>("train.link.handshakes.refused", "{handshake}", "Connections turned away at the door, by reason.");

    public static readonly Counter<long> LinksClosed = Meter.CreateCounter<long>("train.link.closed", "{link}", "Links that ended, by reason.");

    public static readonly Histogram<double> LinkHeartbeatDelay = Seconds("train.link.heartbeat.delay", "How late this process' own heartbeat thread woke up; its peers give it up after 0.5 s of silence.", Waits);

    public static readonly Histogram<double> LinkRoundTrip = Seconds("train.link.round_trip", "Round trip of a heartbeat.", Waits);

    public static readonly ObservableGauge<long> LiveTensors = Meter.CreateObservableGauge("train.tensors.live", () => ProcessFigures.Tensors, "{tensor}", "libtorch tensors that managed code holds.");

    public static readonly ObservableGauge<long> Memory = Meter.CreateObservableGauge("train.memory.usage", ProcessFigures.Memory, "By", "Memory of the process, by kind: resident, managed (the collector's heap), native (buffers of tensors).");

    public static readonly ObservableGauge<long> GpuMemory = Meter.CreateObservableGauge("train.gpu.memory.usage", static () => ProcessFigures.Gpus(static g => g.UsedBytes), "By", "Memory in use on a GPU of this machine, by device.");

    public static readonly ObservableGauge<long> GpuMemoryLimit = Meter.CreateObservableGauge("train.gpu.memory.limit", static () => ProcessFigures.Gpus(static g => g.TotalBytes), "By", "Memory of a GPU of this machine, by device.");

    public static readonly ObservableGauge<double> GpuUtilization = Meter.CreateObservableGauge("train.gpu.utilization", static () => ProcessFigures.Gpus(static g => g.Utilization), "1", "Share of the last moment in which a GPU of this machine was busy, by device.");

    private static Histogram<double> Seconds(string name, string description, InstrumentAdvice<double> advice) => Meter.CreateHistogram(name, "s", description, tags: null, advice);

    /// <summary>All of them, in the order above.</summary>
    public static IReadOnlyList<Instrument> Instruments { get; } =
        [.. typeof(ClusterTelemetry).GetFields(BindingFlags.Public | BindingFlags.Static).Select(static f => f.GetValue(null)).OfType<Instrument>()];

    /// <summary>Those that tell of the run as a whole, or of every node in the run: kept by who watches it, not by each process.</summary>
    public static IReadOnlySet<Instrument> OfRun { get; } = new HashSet<Instrument>
    {
        StepDuration, PartDuration, LastStep, PlannedSteps, CommittedSteps, SkippedSteps, Samples, LeftOutSamples, Throughput, Loss, Accuracy, LearningRate, GradientNorm, ClipScale,
        TestLoss, TestAccuracy, StragglerRatio, CheckpointDuration, CheckpointAge, Events, Nodes, DroppedSpans, DroppedCalls, MetricOverflow,
    };

    /// <summary>The one tag of an instrument; null when it has none.</summary>
    public static string? TagOf(Instrument instrument) => MetricTags.GetValueOrDefault(instrument);

    private static readonly Dictionary<Instrument, string> MetricTags = new()
    {
        [PartDuration] = Tags.Part,
        [Events] = Tags.Kind,
        [Nodes] = Tags.Role,
        [QueueDepth] = Tags.Queue,
        [Memory] = Tags.Kind,
        [RefusedMessages] = Tags.Reason,
        [LinkRefusedFrames] = Tags.Reason,
        [LinkRefusedHandshakes] = Tags.Reason,
        [LinksClosed] = Tags.Reason,
        [LinkSent] = Tags.Lane,
        [LinkReceived] = Tags.Lane,
        [GpuMemory] = Tags.Device,
        [GpuMemoryLimit] = Tags.Device,
        [GpuUtilization] = Tags.Device,
    };
}
