using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>report.json: names in snake_case, times in ISO 8601, durations in ms where the name says so.</summary>
public static class ReportJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <returns>One object and a newline.</returns>
    public static string Write(ChaosReport report) => JsonSerializer.Serialize(report, Options) + "\n";

    /// <exception cref="ClusterException">The text is no report, or of a version that is not known.</exception>
    public static ChaosReport Read(string text)
    {
        try
        {
            var report = JsonSerializer.Deserialize<ChaosReport>(text, Options) ?? throw new ClusterException("the report is empty");
            return report.Version == 1 ? report : throw new ClusterException($"the report is of version {report.Version}, this program knows 1");
        }
        catch (JsonException e)
        {
            throw new ClusterException($"this is no report of chaos: {e.Message}", e);
        }
    }
}
