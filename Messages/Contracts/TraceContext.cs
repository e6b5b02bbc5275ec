using System.Diagnostics;
using MessagePack;

namespace Cluster.Contracts;

/// <summary>
/// W3C parent carried in every message: a mailbox loses <see cref="Activity.Current"/>, and an unsampled step must
/// still hand its context on (injected from the current context, not from the span that a sampler may have refused).
/// </summary>
[MessagePackObject]
public readonly record struct TraceContext(
    [property: Key(0)] ulong TraceIdHigh,
    [property: Key(1)] ulong TraceIdLow,
    [property: Key(2)] ulong SpanId,
    [property: Key(3)] bool Recorded)
{
    [IgnoreMember] public bool IsEmpty => TraceIdHigh == 0 && TraceIdLow == 0;

    public static TraceContext From(Activity? activity) => activity is null ? default : From(activity.Context);

    public static TraceContext From(ActivityContext context)
    {
        if (context == default) return default;
        Span<byte> bytes = stackalloc byte[16];
        context.TraceId.CopyTo(bytes);
        var high = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var low = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        context.SpanId.CopyTo(bytes[..8]); // it fills whatever it is given, and throws past its own eight bytes
        var span = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
        return new TraceContext(high, low, span, (context.TraceFlags & ActivityTraceFlags.Recorded) != 0);
    }

    /// <summary>The context as a remote parent (the Recorded flag survives the hop only when it is marked remote).</summary>
    public ActivityContext ToActivityContext()
    {
        if (IsEmpty) return default;
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, TraceIdHigh);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], TraceIdLow);
        var trace = ActivityTraceId.CreateFromBytes(bytes);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, SpanId);
        var span = ActivitySpanId.CreateFromBytes(bytes[..8]);
        return new ActivityContext(trace, span, Recorded ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None, isRemote: true);
    }
}
