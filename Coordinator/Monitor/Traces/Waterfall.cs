using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>A trace as lines of text: one per span, its bar drawn to scale, with the critical path marked.</summary>
public static class Waterfall
{
    private const int MinBar = 20, MaxLabel = 34, MaxTrack = 12;

    /// <param name="width">Characters of a line.</param>
    /// <returns>Lines, each ended.</returns>
    public static string Write(Timeline timeline, int width)
    {
        ArgumentNullException.ThrowIfNull(timeline);
        var text = new StringBuilder();
        var track = Math.Clamp(timeline.Rows.Max(static r => r.Track.Length), 1, MaxTrack);
        var labels = timeline.Rows.Select(static r => new string(' ', 2 * r.Depth) + LabelOf(r.Span)).ToArray();
        var label = Math.Clamp(labels.Max(static l => l.Length), 4, MaxLabel);
        var bar = Math.Max(MinBar, width - track - label - 26);
        // Spans of the step may end after it: the scale holds all of them.
        var from = Math.Min(0, timeline.Rows.Min(static r => r.Offset));
        var to = Math.Max(timeline.Root.DurationNanoseconds, timeline.Rows.Max(static r => r.Offset + r.Duration));
        text.Append(Line($"{"".PadRight(track)}  {"".PadRight(label)} {"from ms",9} {"ms",9}"));
        for (var i = 0; i < timeline.Rows.Count; i++)
        {
            var row = timeline.Rows[i];
            var cells = new char[bar];
            Array.Fill(cells, ' ');
            Fill(cells, row.Offset, row.Offset + row.Duration, '-');
            foreach (var segment in timeline.Path)
                if (segment.Span.SpanId == row.Span.SpanId) Fill(cells, segment.Start - timeline.Root.StartNanoseconds, segment.End - timeline.Root.StartNanoseconds, '#');
            text.Append(Line($"{Cut(row.Track, track).PadRight(track)} {(row.CriticalNanoseconds > 0 ? '*' : ' ')}{Cut(labels[i], label).PadRight(label)} {Ms(row.Offset),9} {Ms(row.Duration),9} |{new string(cells)}|"));
        }
        text.Append('\n').Append(Line($"Critical path (*, #): {Ms(timeline.Path.Sum(static p => p.End - p.Start))} ms of {Ms(timeline.Root.DurationNanoseconds)} ms"));
        foreach (var (what, nanoseconds) in Shares(timeline))
            text.Append(Line($"  {Ms(nanoseconds),9} ms {100.0 * nanoseconds / Math.Max(1, timeline.Root.DurationNanoseconds),5:0.0} %  {what}"));
        return text.ToString();

        void Fill(char[] cells, long start, long end, char mark)
        {
            var scale = (double)bar / Math.Max(1, to - from);
            var first = Math.Clamp((int)((start - from) * scale), 0, bar - 1);
            var last = Math.Clamp((int)Math.Ceiling((end - from) * scale) - 1, first, bar - 1);
            for (var c = first; c <= last; c++) cells[c] = mark;
        }
    }

    /// <summary>What answers for the step's time, the longest first.</summary>
    private static IEnumerable<(string What, long Nanoseconds)> Shares(Timeline timeline)
    {
        var tracks = timeline.Rows.ToDictionary(static r => r.Span.SpanId, static r => r.Track);
        return timeline.Path.GroupBy(p => p.Span == timeline.Root ? "between spans" : $"{tracks[p.Span.SpanId]} {p.Span.Name}", StringComparer.Ordinal)
            .Select(static g => (g.Key, g.Sum(static p => p.End - p.Start))).OrderByDescending(static g => g.Item2).Take(8);
    }

    /// <summary>The span's name with what tells it from others of its name.</summary>
    public static string LabelOf(SpanRecord span)
    {
        ArgumentNullException.ThrowIfNull(span);
        var what = span.Name switch
        {
            ClusterTelemetry.Spans.Lease => " " + SpanMerge.TagOf(span, ClusterTelemetry.Tags.Leaves) + After(span),
            ClusterTelemetry.Spans.DataWait or ClusterTelemetry.Spans.LocalSum => " " + SpanMerge.TagOf(span, ClusterTelemetry.Tags.Leaf),
            ClusterTelemetry.Spans.Send => " " + SpanMerge.TagOf(span, ClusterTelemetry.Tags.Node),
            ClusterTelemetry.Spans.Step => " " + SpanMerge.TagOf(span, ClusterTelemetry.Tags.Step),
            _ => "",
        };
        return span.Name + what + (span.Error is null ? "" : " (void)");
    }

    private static string After(SpanRecord lease) => lease.Links.Count == 0 ? "" :
        " after " + string.Join(", ", lease.Links.Select(static l => l.Tags.FirstOrDefault(static t => t.Name == ClusterTelemetry.Tags.Worker).Text).Where(static w => w is not null).Distinct(StringComparer.Ordinal));

    private static string Ms(long nanoseconds) => (nanoseconds / 1e6).ToString("0.000", CultureInfo.InvariantCulture);

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "~";

    private static string Line(FormattableString text) => FormattableString.Invariant(text).TrimEnd() + "\n";
}
