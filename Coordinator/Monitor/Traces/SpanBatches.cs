using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>How many spans go into one message.</summary>
public static class SpanBatches
{
    /// <summary>Bytes of a batch by the estimate below: a frame of the control lane holds 64 KiB, and names need not be ASCII.</summary>
    private const int MaxBytes = 40 * 1024;

    /// <summary>The first spans of <paramref name="waiting"/> that fit; at least one when there is any.</summary>
    public static IReadOnlyList<SpanRecord> Next(IReadOnlyCollection<SpanRecord> waiting)
    {
        ArgumentNullException.ThrowIfNull(waiting);
        var next = new List<SpanRecord>();
        var bytes = 0;
        foreach (var span in waiting)
        {
            bytes += BytesOf(span);
            if (next.Count > 0 && bytes > MaxBytes) break;
            next.Add(span);
        }
        return next;
    }

    /// <summary>Numbers at their longest, strings at a byte a character.</summary>
    private static int BytesOf(SpanRecord span)
    {
        var bytes = 6 * 9 + 16 + span.Name.Length + (span.Error?.Length ?? 0);
        foreach (var tag in span.Tags) bytes += 6 + tag.Name.Length + tag.Text.Length;
        foreach (var link in span.Links)
        {
            bytes += 32;
            foreach (var tag in link.Tags) bytes += 6 + tag.Name.Length + tag.Text.Length;
        }
        return bytes;
    }
}
