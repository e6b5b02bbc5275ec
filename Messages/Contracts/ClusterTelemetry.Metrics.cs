using System.Diagnostics.Metrics;

namespace Cluster.Contracts;

public static partial class ClusterTelemetry
{
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
}
