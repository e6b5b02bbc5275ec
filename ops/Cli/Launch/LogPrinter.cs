namespace Cluster.Cli.Launch;

/// <summary>
/// Prints the lines of children, each whole and behind its name: <c>[worker-1] …</c>, texts aligned, names coloured if asked.
/// Standard error of a child goes to <paramref name="error"/>. Any thread; nothing interleaves inside a line.
/// </summary>
/// <param name="names">All children, for the width and the colours.</param>
/// <param name="bare">A child whose standard output is printed as it is: the coordinator, whose lines are those of <c>train</c>. Or null.</param>
public sealed class LogPrinter(TextWriter output, TextWriter error, IReadOnlyList<string> names, bool colours, string? bare = null) : ISupervisorObserver
{
    /// <summary>The supervisor's own name in the log.</summary>
    public const string OwnName = "launch";

    /// <summary>Cyan, yellow, green, magenta, blue, red, and their bright forms: readable on dark and on light.</summary>
    private static readonly int[] Palette = [36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91];

    /// <summary>Lines become those of a JSON log, with the child's name as the node; those that are already stay as they are.</summary>
    public bool IsJson { get; init; }

    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _prefixes = Prefixes([OwnName, .. names], colours);

    /// <summary>For this process's console: colours on a terminal only, and not against the user's wish (no-color.org).</summary>
    /// <param name="log">A value of <c>--log</c>; null = auto.</param>
    public static LogPrinter ForConsole(IReadOnlyList<string> names, string? bare = null, string? log = null) =>
        new(Console.Out, Console.Error, names, Display.Displays.IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")), bare) { IsJson = log == Display.LogForm.Json };

    public void Line(string child, bool isError, string text) =>
        Write(isError ? error : output, IsJson ? Display.JsonLine.Of(DateTimeOffset.UtcNow, child, isError, text) : child == bare && !isError ? text : _prefixes[child] + text);

    public void Said(string? child, string sentence) =>
        Write(error, IsJson ? Display.JsonLine.Of(DateTimeOffset.UtcNow, child ?? OwnName, isError: true, sentence) : _prefixes[OwnName] + sentence);

    public void Started(string child, int process) { }

    public void Exited(string child, int process, ChildEnd end) { }

    private void Write(TextWriter writer, string line)
    {
        lock (_lock)
        {
            try
            {
                writer.Write(line + "\n");
            }
            catch (IOException)
            {
                // The reader of our output has gone (| head): the run goes on.
            }
        }
    }

    private static Dictionary<string, string> Prefixes(IReadOnlyList<string> names, bool colours)
    {
        var width = names.Max(static name => name.Length) + 3;
        return names.Distinct(StringComparer.Ordinal).Select((name, index) => (name, index)).ToDictionary(
            pair => pair.name,
            pair => colours && pair.index > 0
                ? $"\e[{Palette[(pair.index - 1) % Palette.Length]}m{$"[{pair.name}]".PadRight(width)}\e[0m"
                : $"[{pair.name}]".PadRight(width),
            StringComparer.Ordinal);
    }
}
