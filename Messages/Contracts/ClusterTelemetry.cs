using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Cluster.Contracts;

/// <summary>
/// Every span, metric and tag name. Hosts add exporters; everything else knows only this file. Ids are span tags;
/// metric tags come from closed sets. Instrumentation never throws into the step.
/// </summary>
public static class ClusterTelemetry
{
    public const string SourceName = "Cluster.Training";

    public static readonly ActivitySource Source = new(SourceName);

    private static readonly Meter Meter = new(SourceName);

    public static readonly Histogram<double> StepDuration =
        Meter.CreateHistogram<double>("train.step.duration", unit: "s", description: "Begin to commit of one step.");

    public static readonly Histogram<double> DataWait =
        Meter.CreateHistogram<double>("train.data.wait", unit: "s", description: "Time that a worker's device waited for a prepared leaf.");

    public static readonly Counter<long> Samples =
        Meter.CreateCounter<long>("train.samples", unit: "{sample}", description: "Samples of committed steps.");

    public static readonly Counter<long> RefusedMessages =
        Meter.CreateCounter<long>("train.messages.refused", unit: "{message}", description: "Messages refused as stale, duplicate or superseded, by reason.");

    public static readonly Counter<long> LinkSent =
        Meter.CreateCounter<long>("train.link.sent", unit: "By", description: "Bytes written to peers, by lane.");

    public static readonly Counter<long> LinkReceived =
        Meter.CreateCounter<long>("train.link.received", unit: "By", description: "Bytes of whole frames read from peers, by lane.");

    public static readonly Counter<long> LinkRefusedFrames =
        Meter.CreateCounter<long>("train.link.frames.refused", unit: "{frame}", description: "Frames that were not delivered, by reason.");

    public static readonly Counter<long> LinkRefusedHandshakes =
        Meter.CreateCounter<long>("train.link.handshakes.refused", unit: "{handshake}", description: "Connections turned away at the door, by reason.");

    public static readonly Counter<long> LinksClosed =
        Meter.CreateCounter<long>("train.link.closed", unit: "{link}", description: "Links that ended, by reason.");

    public static readonly Histogram<double> LinkHeartbeatDelay =
        Meter.CreateHistogram<double>("train.link.heartbeat.delay", unit: "s", description: "How late this process' own heartbeat thread woke up.");

    public static readonly Histogram<double> LinkRoundTrip =
        Meter.CreateHistogram<double>("train.link.round_trip", unit: "s", description: "Round trip of a heartbeat.");

    /// <summary>Span names: one per phase of a step.</summary>
    public static class Spans
    {
        /// <summary>Root: begin to commit-and-applied of one step.</summary>
        public const string Step = "step";

        /// <summary>Worker: BeginStep received to last node pushed.</summary>
        public const string Lease = "lease";
        public const string DataWait = "data wait";
        public const string Forward = "forward";
        public const string Backward = "backward";
        public const string LocalSum = "local sum";
        public const string Send = "send";

        /// <summary>Shard: first node received to tree complete; one link per contributing node.</summary>
        public const string Reduce = "reduce";

        /// <summary>Coordinator: all shards reduced to the decision.</summary>
        public const string NormRound = "norm round";

        /// <summary>Coordinator: writing the commit record.</summary>
        public const string Commit = "commit";

        /// <summary>Shard: mean, clip, decay, momentum, weights in one pass.</summary>
        public const string Apply = "apply";
        public const string Broadcast = "broadcast";

        /// <summary>Worker: last part of a version received and loaded.</summary>
        public const string WeightsReceived = "weights received";

        /// <summary>Root: one pass over the test set.</summary>
        public const string Evaluation = "evaluation";

        /// <summary>Worker: its batches of one evaluation.</summary>
        public const string Evaluate = "evaluate";

        /// <summary>Root: the seeded first weights travel to the shards.</summary>
        public const string Initialize = "initialize";
    }

    /// <summary>Tag names.</summary>
    public static class Tags
    {
        public const string RunId = "train.run_id";
        public const string Role = "train.role";
        public const string Step = "train.step";
        public const string Attempt = "train.attempt";
        public const string Term = "train.term";
        public const string Epoch = "train.epoch";
        public const string Worker = "train.worker";
        public const string Shard = "train.shard";
        public const string Leaf = "train.leaf";
        public const string Leaves = "train.leaves";
        public const string Node = "train.node";
        public const string Bytes = "train.bytes";
        public const string Version = "train.version";
        public const string Contributors = "train.contributors";
        public const string Loss = "train.loss";
        public const string Accuracy = "train.accuracy";
        public const string LearningRate = "train.learning_rate";
        public const string GradNorm = "train.grad_norm";
        public const string Scale = "train.clip_scale";
        public const string Samples = "train.samples";
        public const string Reason = "train.reason";
        public const string Lane = "train.link.lane";
    }

    /// <summary>
    /// Starts a child span under a context that came in a message. Returns null when unsampled or unlistened; hand on
    /// <paramref name="parent"/> then, so that the chain is not cut.
    /// </summary>
    public static Activity? StartChild(string name, TraceContext parent, ActivityKind kind = ActivityKind.Internal, IEnumerable<ActivityLink>? links = null) =>
        parent.IsEmpty ? null : Source.StartActivity(name, kind, parent.ToActivityContext(), tags: null, links: links);

    /// <summary>The context for a message sent inside <paramref name="span"/>, or under <paramref name="parent"/> when the span was not sampled.</summary>
    public static TraceContext ContextFor(Activity? span, TraceContext parent) => span is null ? parent : TraceContext.From(span);
}
