using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cluster.Cli.Hosting;

namespace Cluster.Cli.Verbs;

/// <summary>An evaluation as one JSON object.</summary>
internal static class EvaluationJson
{
    private static readonly JsonWriterOptions Options = new() { Indented = false, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>One line and a newline. A number that JSON cannot hold is null.</returns>
    public static string Write(EvaluationReport report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("model", report.Options.Model);
            json.WriteString("weights", report.Weights);
            json.WriteBoolean("average", report.IsAverage);
            json.WriteString("data", report.Options.Data);
            json.WriteNumber("workers", report.Options.Workers);
            json.WriteNumber("samples", report.Totals.Samples);
            Number(json, "accuracy", report.Totals.Accuracy);
            Number(json, "top5", report.Totals.Top5);
            Number(json, "loss", report.Totals.Loss);
            json.WriteStartArray("per_class");
            foreach (var result in report.Classes)
            {
                json.WriteStartObject();
                json.WriteString("name", result.Name);
                json.WriteNumber("samples", result.Samples);
                Number(json, "accuracy", result.Accuracy);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("confusion");
            foreach (var row in report.Confusion)
            {
                json.WriteStartArray();
                foreach (var count in row) json.WriteNumberValue(count);
                json.WriteEndArray();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)) + "\n";
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}
