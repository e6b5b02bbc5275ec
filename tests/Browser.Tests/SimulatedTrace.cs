using System.Buffers.Binary;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Browser.Tests;

/// <summary>Spans of one step, as the processes of a run send them.</summary>
internal static class SimulatedTrace
{
    private const long Millisecond = 1_000_000;

    public static IEnumerable<(string Process, SpanBatch Batch)> Of(string runId, StepId step, DateTimeOffset at, IReadOnlyList<int> workers)
    {
        var start = at.ToUnixTimeMilliseconds() * Millisecond;
        var id = StepTrace.IdOf(runId, step);
        Span<byte> bytes = stackalloc byte[16];
        id.CopyTo(bytes);
        var (high, low) = (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        var next = (ulong)step.Value * 1000;
        var root = ++next;

        SpanRecord Make(string name, double from, double took, ulong parent, params SpanTag[] tags) =>
            new(high, low, parent == 0 ? root : ++next, parent, name, start + (long)(from * Millisecond), (long)(took * Millisecond), tags, [], null);

        var all = new List<(string Process, SpanBatch Batch)>();
        foreach (var worker in workers)
        {
            var name = new SpanTag(ClusterTelemetry.Tags.Worker, new WorkerId(worker).ToString());
            var slow = worker * 0.6;
            var spans = new List<SpanRecord> { Make(ClusterTelemetry.Spans.DataWait, 0.3, 0.5, root, name) };
            for (var leaf = 0; leaf < 3; leaf++)
            {
                var tag = new SpanTag(ClusterTelemetry.Tags.Leaf, (worker * 3 + leaf).ToString(CultureInfo.InvariantCulture));
                var from = 0.8 + leaf * (3.6 + slow / 3);
                spans.Add(Make(ClusterTelemetry.Spans.Forward, from, 1.3, root, name, tag));
                spans.Add(Make(ClusterTelemetry.Spans.Backward, from + 1.3, 2.2 + slow / 3, root, name, tag));
            }
            spans.Add(Make(ClusterTelemetry.Spans.LocalSum, 11.6 + slow, 0.5, root, name));
            spans.Add(Make(ClusterTelemetry.Spans.Send, 12.1 + slow, 1.4, root, name));
            spans.Add(Make(ClusterTelemetry.Spans.WeightsReceived, 18.6, 0.9, root, name));
            all.Add((new WorkerId(worker).ToString(), new SpanBatch(spans, 0)));
        }
        for (var shard = 0; shard < 2; shard++)
        {
            var name = new SpanTag(ClusterTelemetry.Tags.Shard, new ShardId(shard).ToString());
            all.Add((new ShardId(shard).ToString(), new SpanBatch(
            [
                Make(ClusterTelemetry.Spans.Reduce, 12.4, 3.2, root, name), Make(ClusterTelemetry.Spans.Apply, 16.9, 1.1 + shard * 0.3, root, name),
                Make(ClusterTelemetry.Spans.Broadcast, 18.3, 0.9, root, name),
            ], 0)));
        }
        all.Add(("coordinator", new SpanBatch(
        [
            Make(ClusterTelemetry.Spans.NormRound, 15.7, 0.5, root), Make(ClusterTelemetry.Spans.Commit, 16.2, 0.6, root),
            Make(ClusterTelemetry.Spans.Step, 0, 20, 0, new SpanTag(ClusterTelemetry.Tags.Step, step.ToString())),
        ], 0)));
        return all;
    }
}
