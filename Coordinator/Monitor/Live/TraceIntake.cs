using System.Buffers.Binary;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>Sorts spans by their steps where nobody else does. Spans of the watch thread, steps too; not for several threads.</summary>
internal sealed class TraceIntake(RecentTraces traces, string runId)
{
    private const int MaxKnown = 512;

    private readonly Dictionary<(ulong High, ulong Low), long> _steps = [];
    private readonly Queue<(ulong High, ulong Low)> _order = new();

    /// <summary>The step's trace id is computed: its spans are known by it.</summary>
    public void Began(StepId step)
    {
        Span<byte> bytes = stackalloc byte[16];
        StepTrace.IdOf(runId, step).CopyTo(bytes);
        Know((BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..])), step.Value);
    }

    public void Add(string process, SpanBatch batch)
    {
        foreach (var span in batch.Spans)
        {
            var id = (span.TraceIdHigh, span.TraceIdLow);
            if (!_steps.TryGetValue(id, out var step))
            {
                if (StepIn(span) is not { } told) continue;
                Know(id, step = told);
            }
            traces.Add(step, process, span);
        }
    }

    private static long? StepIn(SpanRecord span)
    {
        foreach (var tag in span.Tags)
            if (tag.Name == ClusterTelemetry.Tags.Step && long.TryParse(tag.Text, out var step)) return step;
        return null;
    }

    private void Know((ulong High, ulong Low) id, long step)
    {
        if (!_steps.TryAdd(id, step)) return;
        _order.Enqueue(id);
        if (_order.Count > MaxKnown) _steps.Remove(_order.Dequeue());
    }
}
