using System.Text;

namespace Cluster.Cli.Display;

/// <summary>The values of <c>--log</c>.</summary>
internal static class LogForm
{
    public const string Auto = "auto", Json = "json", Text = "text";

    /// <summary>What is wrong with a value of <c>--log</c>, if anything.</summary>
    public static IEnumerable<string> Mistakes(string? text) =>
        text is null or Auto or Json or Text ? [] : [$"--log {text}: must be {Auto}, {Json} or {Text}"];

    /// <summary>From here on what this process prints is a JSON log, whoever prints it.</summary>
    public static void Take(string? form, string node)
    {
        if (form != Json) return;
        Console.SetOut(new JsonLog(Console.Out, node, isError: false, TimeProvider.System));
        Console.SetError(new JsonLog(Console.Error, node, isError: true, TimeProvider.System));
    }
}

/// <summary>Makes each line that is written to it a line of a JSON log; lines that are one stay as they are. Any thread.</summary>
internal sealed class JsonLog(TextWriter output, string node, bool isError, TimeProvider time) : TextWriter
{
    /// <summary>A longer line is cut into several: nobody's memory is for a text without an end.</summary>
    private const int LongestLine = 65_536;

    private readonly Lock _lock = new();
    private readonly StringBuilder _line = new();

    public override Encoding Encoding => output.Encoding;

    public override void Write(char value)
    {
        lock (_lock) Take(value);
    }

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        lock (_lock)
            foreach (var character in buffer) Take(character);
    }

    public override void WriteLine(string? value)
    {
        lock (_lock)
        {
            foreach (var character in value ?? "") Take(character);
            Take('\n');
        }
    }

    private void Take(char character)
    {
        if (character != '\n')
        {
            _line.Append(character);
            if (_line.Length < LongestLine) return;
        }
        var text = _line.ToString().TrimEnd('\r');
        _line.Clear();
        if (text.Length == 0) return;
        output.WriteLine(JsonLine.Of(time.GetUtcNow(), node, isError, text));
        output.Flush();
    }

    public override void Flush() => output.Flush();
}
