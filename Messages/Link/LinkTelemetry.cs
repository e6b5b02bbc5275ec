using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>The transport's figures, under the names of <see cref="ClusterTelemetry"/>. Tags are made once: a frame must not allocate for them.</summary>
internal static class LinkTelemetry
{
    private static readonly KeyValuePair<string, object?>[] Lanes = [.. Enum.GetValues<Lane>().Select(l => new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Lane, l.ToString().ToLowerInvariant()))];

    public static void Sent(Lane lane, long bytes) => ClusterTelemetry.LinkSent.Add(bytes, Lanes[(int)lane]);

    public static void Received(Lane lane, long bytes) => ClusterTelemetry.LinkReceived.Add(bytes, Lanes[(int)lane]);

    public static void FrameRefused(string reason) => ClusterTelemetry.LinkRefusedFrames.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, reason));

    public static void HandshakeRefused(LinkRefusalReason reason) => ClusterTelemetry.LinkRefusedHandshakes.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, reason.ToString()));

    public static void Closed(LinkEnd end) => ClusterTelemetry.LinksClosed.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, end.ToString()));

    public static void HeartbeatDelay(TimeSpan delay) => ClusterTelemetry.LinkHeartbeatDelay.Record(delay.TotalSeconds);

    public static void RoundTrip(TimeSpan roundTrip) => ClusterTelemetry.LinkRoundTrip.Record(roundTrip.TotalSeconds);
}
