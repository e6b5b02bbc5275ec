using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Contracts;

/// <summary>
/// One trace per step: its id is computed from (run, step), so every process agrees on it without a message and
/// (run, step) is the address of a trace.
/// </summary>
public static class StepTrace
{
    [ThreadStatic] private static ActivityTraceId? _next;

    static StepTrace() => Activity.TraceIdGenerator = static () => _next ?? ActivityTraceId.CreateRandom();

    public static ActivityTraceId IdOf(string runId, StepId step)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{runId}/{step}"), hash);
        return ActivityTraceId.CreateFromBytes(hash[..16]);
    }

    /// <summary>
    /// Starts the root span of a step without making it current (it outlives the handler that starts it). The context
    /// is valid even when the span is null because nobody listens or the sampler refused it.
    /// </summary>
    public static (Activity? Span, TraceContext Context) StartRoot(string runId, StepId step, string name = ClusterTelemetry.Spans.Step)
    {
        var id = IdOf(runId, step);
        var outer = Activity.Current;
        Activity.Current = null;
        _next = id;
        try
        {
            var span = ClusterTelemetry.Source.StartActivity(name);
            if (span is not null) return (span, TraceContext.From(span));
            Span<byte> bytes = stackalloc byte[16];
            id.CopyTo(bytes);
            return (null, new TraceContext(
                BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), SpanId: (ulong)step.Value, Recorded: false));
        }
        finally
        {
            _next = null;
            Activity.Current = outer;
        }
    }

    /// <summary>Starts a child span that outlives the handler that starts it: it does not become current.</summary>
    public static Activity? StartDetached(string name, TraceContext parent, IEnumerable<ActivityLink>? links = null)
    {
        var outer = Activity.Current;
        var span = ClusterTelemetry.StartChild(name, parent, links: links);
        Activity.Current = outer;
        return span;
    }
}
