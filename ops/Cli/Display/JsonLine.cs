using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cluster.Cli.Display;

/// <summary>One line of a JSON log: <c>time</c>, <c>level</c>, <c>node</c>, <c>step</c>, <c>message</c>, <c>trace_id</c>; what a line has not is left out.</summary>
internal static class JsonLine
{
    public const string Info = "info", Warning = "warning", Error = "error";

    private static readonly JsonWriterOptions ForPeople = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="step">The step that it tells of; null = of none.</param>
    /// <param name="traceId">Of the step's trace, 32 hexadecimal digits.</param>
    public static string Write(DateTimeOffset time, string level, string node, string message, long? step = null, string? traceId = null)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, ForPeople))
        {
            json.WriteStartObject();
            json.WriteString("time", time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteString("level", level);
            json.WriteString("node", node);
            if (step is { } number) json.WriteNumber("step", number);
            json.WriteString("message", message);
            if (traceId is not null) json.WriteString("trace_id", traceId);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>A line that may be one of a JSON log already, which it then stays.</summary>
    public static string Of(DateTimeOffset time, string node, bool isError, string line) =>
        line.StartsWith("{\"time\":", StringComparison.Ordinal) && line.EndsWith('}') ? line : Write(time, LevelOf(isError, line), node, line);

    /// <summary>The last words of a process that failed begin with its name; everything else on standard error is only unusual.</summary>
    private static string LevelOf(bool isError, string line) => !isError ? Info : line.StartsWith("cluster: ", StringComparison.Ordinal) ? Error : Warning;
}
