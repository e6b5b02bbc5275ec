using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>What a sender may pass; the same for every transport.</summary>
internal static class LinkArguments
{
    public static void CheckControl(ushort type, ReadOnlySpan<byte> body)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(type, Limits.LinkReservedTypes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, Limits.LinkControlBytes, nameof(body));
    }

    public static void CheckBulk(ushort type, ReadOnlySpan<byte> header, NativeBuffer payload, int firstFloat, int floats)
    {
        ArgumentNullException.ThrowIfNull(payload);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(type, Limits.LinkReservedTypes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(header.Length, Limits.LinkHeaderBytes, nameof(header));
        ArgumentOutOfRangeException.ThrowIfNegative(firstFloat);
        ArgumentOutOfRangeException.ThrowIfNegative(floats);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(floats, Limits.LinkBulkFloats);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)firstFloat + floats, payload.Length, nameof(floats));
    }

    /// <summary>A handler's answer to an offer, checked: a wrong one is the handler's bug.</summary>
    public static void CheckTarget(in BulkTarget target, int floats, bool shared)
    {
        if (target.Refusal is not null) return;
        if (target.WantsReference && !shared) throw new InvalidOperationException("the handler asked for the sender's buffer, which is in another process");
        if (!target.WantsReference && target.Buffer is null) throw new InvalidOperationException("the handler named no buffer for a payload");
        if (target.Buffer is { } buffer && (target.First < 0 || (long)target.First + floats > buffer.Length))
            throw new InvalidOperationException($"the handler's target, from float {target.First} of {buffer.Length}, has no room for {floats} floats");
    }
}
