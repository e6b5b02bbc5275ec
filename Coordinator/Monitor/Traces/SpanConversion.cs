using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>From what .NET keeps of a span to what travels and is stored.</summary>
internal static class SpanConversion
{
    /// <summary>Characters of a tag or an error: a sentence. With all its links a span still fits into a message.</summary>
    private const int MaxText = 512;

    public static SpanRecord Of(Activity activity)
    {
        var (high, low) = Halves(activity.TraceId);
        return new SpanRecord(
            high, low, Number(activity.SpanId), Number(activity.ParentSpanId), activity.OperationName,
            (activity.StartTimeUtc - DateTime.UnixEpoch).Ticks * 100, Math.Max(0, activity.Duration.Ticks * 100),
            TagsOf(activity), LinksOf(activity), activity.Status == ActivityStatusCode.Error ? Cut(activity.StatusDescription ?? "failed") : null);
    }

    private static List<SpanTag> TagsOf(Activity activity)
    {
        var tags = new List<SpanTag>();
        foreach (ref readonly var tag in activity.EnumerateTagObjects())
            if (tag.Value is not null) tags.Add(new SpanTag(tag.Key, TextOf(tag.Value)));
        return tags;
    }

    private static SpanLink[] LinksOf(Activity activity)
    {
        List<SpanLink>? links = null;
        foreach (ref readonly var link in activity.EnumerateLinks())
        {
            var (high, low) = Halves(link.Context.TraceId);
            SpanTag[] tags = link.Tags is null ? [] : [.. link.Tags.Where(static t => t.Value is not null).Select(static t => new SpanTag(t.Key, TextOf(t.Value!)))];
            (links ??= []).Add(new SpanLink(high, low, Number(link.Context.SpanId), tags));
        }
        return links is null ? [] : [.. links];
    }

    private static string TextOf(object value) => Cut(value as string ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];

    private static (ulong High, ulong Low) Halves(ActivityTraceId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.CopyTo(bytes);
        return (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    private static ulong Number(ActivitySpanId id)
    {
        if (id == default) return 0;
        Span<byte> bytes = stackalloc byte[8];
        id.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }
}
