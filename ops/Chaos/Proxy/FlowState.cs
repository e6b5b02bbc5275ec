using Cluster.Contracts;

namespace Cluster.Chaos.Proxy;

/// <summary>One direction of a proxy as all its connections share it. Loop thread.</summary>
internal sealed class FlowState
{
    public FlowFaults Faults { get; private set; } = FlowFaults.None;

    /// <summary>Null = no limit.</summary>
    public TokenBucket? Bucket { get; private set; }

    /// <summary>Bytes that may be under way in one connection: what a delay holds at a fast rate, else a read's worth.</summary>
    public int QueueBytes => Faults.Delay + Faults.Jitter > TimeSpan.Zero ? Limits.ProxyDelayedBytes : Limits.ProxyReadBytes;

    public void Set(FlowFaults faults, TimeSpan now)
    {
        if (faults.BytesPerSecond != Faults.BytesPerSecond)
        {
            // 5 ms worth, since poll counts milliseconds; at least a segment.
            var burst = (int)Math.Clamp(faults.BytesPerSecond / 200, StreamMangler.SegmentBytes, int.MaxValue / 2);
            Bucket = double.IsInfinity(faults.BytesPerSecond) ? null : new TokenBucket(faults.BytesPerSecond, burst, now);
        }
        Faults = faults;
    }
}

/// <summary>Damage that was ordered for the next large read of any connection, in either direction. Loop thread.</summary>
internal sealed record ArmedDamage(DamageKind Kind, int LeastBytes, TaskCompletionSource<Damage> Done);
