using System.Text.RegularExpressions;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>One sentence of the feed.</summary>
/// <param name="Number">From 1, in the order of what happened.</param>
/// <param name="Step">The step that was open, or that the sentence names; 0 when no step had begun.</param>
/// <param name="IsMark">Worth a mark on the curves.</param>
public sealed record FeedLine(long Number, RunEvent Event, long Step, bool IsMark);

/// <summary>The last events, and the last of those that are worth a mark. Not for several threads.</summary>
public sealed partial class EventFeed
{
    private const int MaxLines = 200, MaxMarks = 100;

    private static readonly HashSet<string> Marking = new(StringComparer.Ordinal)
    {
        "resumed", "took-over", "restored", "worker-lost", "worker-hung", "worker-left", "worker-joined", "worker-quarantined", "shard-lost", "shard-late",
        "coordinator-paused", "non-finite", "sample-left-out", "audit-dispute", "commit-waits", "fault", "stopped-early",
    };

    private readonly Queue<FeedLine> _lines = new(MaxLines);
    private readonly Queue<FeedLine> _marks = new(MaxMarks);
    private long _number;

    public IReadOnlyCollection<FeedLine> Lines => _lines;
    public IReadOnlyCollection<FeedLine> Marks => _marks;

    /// <summary>Number of the newest line.</summary>
    public long Last => _number;

    /// <param name="openStep">That is being computed; null = not known, the sentence has to tell.</param>
    public void Add(RunEvent happened, long? openStep)
    {
        ArgumentNullException.ThrowIfNull(happened);
        var step = StepIn(happened.Sentence) ?? openStep ?? 0;
        // That the workers are there at the start is no news.
        var isMark = Marking.Contains(happened.Kind) && step > (happened.Kind == "worker-joined" ? 1 : 0);
        var line = new FeedLine(++_number, happened, step, isMark);
        Keep(_lines, line, MaxLines);
        if (isMark) Keep(_marks, line, MaxMarks);
    }

    private static void Keep(Queue<FeedLine> queue, FeedLine line, int bound)
    {
        if (queue.Count == bound) queue.Dequeue();
        queue.Enqueue(line);
    }

    private static long? StepIn(string sentence) => StepWord().Match(sentence) is { Success: true } match && long.TryParse(match.Groups["step"].ValueSpan, out var step) ? step : null;

    [GeneratedRegex(@"\b[Ss]tep (?<step>\d{1,18})\b", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 100)]
    private static partial Regex StepWord();
}
