using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Contracts;

/// <summary>
/// One trace per step: its id is computed from (run, step), so every process agrees on it without a message and
/// (run, step) is the address of a trace. The id of its root span follows from the trace's, so that a coordinator that
/// goes on with a step hands out the same parent, and whoever holds a context can name the root.
/// </summary>
public static class StepTrace
{
    [ThreadStatic] private static ActivityTraceId? _next;
    [ThreadStatic] private static TraceContext _current;

    /// <summary>Under which the calling thread computes; for code whose signature has no room for a trace. Empty = nothing is traced.</summary>
    public static TraceContext Current
    {
        get => _current;
        set => _current = value;
    }

    static StepTrace() => Activity.TraceIdGenerator = static () => _next ?? ActivityTraceId.CreateRandom();

    public static ActivityTraceId IdOf(string runId, StepId step)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{runId}/{step}"), hash);
        return ActivityTraceId.CreateFromBytes(hash[..16]);
    }

    /// <summary>The root of a step's trace.</summary>
    public static TraceContext ContextOf(string runId, StepId step) => ContextOf(IdOf(runId, step));

    private static TraceContext ContextOf(ActivityTraceId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.CopyTo(bytes);
        return RootOf(new TraceContext(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), SpanId: 0, Recorded: false));
    }

    /// <summary>The root of the trace that this context belongs to; empty for an empty one.</summary>
    public static TraceContext RootOf(TraceContext any) => any.IsEmpty ? default : any with { SpanId = RootSpanOf(any.TraceIdHigh, any.TraceIdLow) };

    /// <summary>Never 0. The bits are those of a hash already; mixed, so that no part of the trace id repeats.</summary>
    private static ulong RootSpanOf(ulong high, ulong low)
    {
        // The finalizer of SplitMix64.
        var mixed = high ^ ulong.RotateLeft(low, 32);
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        mixed ^= mixed >> 31;
        return mixed == 0 ? 1 : mixed;
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
            var span = ClusterTelemetry.Source.StartActivity(name, ActivityKind.Internal, default(ActivityContext), [new(ClusterTelemetry.Tags.Step, step.Value)]);
            var root = ContextOf(id);
            if (span is null) return (null, root);
            SetSpanId(span, root.SpanId);
            return (span, TraceContext.From(span));
        }
        finally
        {
            _next = null;
            Activity.Current = outer;
        }
    }

    /// <summary>
    /// .NET has a generator of trace ids and none of span ids. Where the runtime keeps the id elsewhere, the span keeps
    /// the random one that it was given: every trace is whole then, only a step that another coordinator goes on with
    /// has two roots.
    /// </summary>
    private static void SetSpanId(Activity span, ulong id)
    {
        try
        {
            SpanIdOf(span) = id.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (MissingFieldException)
        {
            // As said above.
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    private static extern ref string? SpanIdOf(Activity span);

    /// <summary>Starts a child span that outlives the handler that starts it: it does not become current.</summary>
    public static Activity? StartDetached(string name, TraceContext parent, IEnumerable<ActivityLink>? links = null)
    {
        var outer = Activity.Current;
        var span = ClusterTelemetry.StartChild(name, parent, links: links);
        Activity.Current = outer;
        return span;
    }
}
