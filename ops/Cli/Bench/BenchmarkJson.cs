using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cluster.Cli.Bench;

/// <summary>A benchmark's report as one JSON object.</summary>
internal static class BenchmarkJson
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>The object and a newline. Memory in bytes, date as ISO 8601 in UTC, every other unit beside its figure.</returns>
    public static string Write(BenchmarkReport report, MachineFacts machine, IReadOnlyDictionary<string, string> versions, DateTimeOffset date)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("benchmark", report.Benchmark);
            json.WriteString("title", report.Title);
            json.WriteString("date", date.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            Machine(json, machine);
            json.WriteStartObject("versions");
            foreach (var (name, version) in versions) json.WriteString(name, version);
            json.WriteEndObject();
            json.WriteStartArray("figures");
            foreach (var figure in report.Figures) Write(json, figure);
            json.WriteEndArray();
            json.WriteStartArray("notes");
            foreach (var note in report.Notes) json.WriteStringValue(note);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)) + "\n";
    }

    private static void Machine(Utf8JsonWriter json, MachineFacts machine)
    {
        json.WriteStartObject("machine");
        json.WriteString("cpu", machine.Cpu);
        json.WriteNumber("cores", machine.Cores);
        json.WriteNumber("memory_bytes", machine.MemoryBytes);
        json.WriteNumber("vector_bits", machine.VectorBits);
        json.WriteString("system", machine.System);
        if (machine.Load is null)
        {
            json.WriteNull("load_average");
        }
        else
        {
            json.WriteStartArray("load_average");
            foreach (var load in machine.Load) json.WriteNumberValue(load);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Figure figure)
    {
        json.WriteStartObject();
        json.WriteString("group", figure.Group);
        json.WriteString("name", figure.Name);
        json.WriteString("unit", figure.Unit);
        json.WriteNumber("n", figure.N);
        json.WriteNumber("median", figure.Median);
        json.WriteNumber("min", figure.Min);
        json.WriteNumber("max", figure.Max);
        json.WriteStartArray("values");
        foreach (var value in figure.Values) json.WriteNumberValue(value);
        json.WriteEndArray();
        if (figure.Bound is { } bound)
        {
            json.WriteStartObject("bound");
            json.WriteNumber(bound.IsLowest ? "at_least" : "at_most", bound.Value);
            json.WriteBoolean("met", figure.IsMet == true);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
