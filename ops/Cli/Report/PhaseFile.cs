using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Cli.Report;

/// <summary>Time that went into one kind of span.</summary>
internal readonly record struct PhaseTime(long Count, double Seconds);

/// <summary>
/// phases.json in a run's folder: how often each phase of a step was traced and how long that took in all, over every
/// process that computed for the run. Adds up over a run's resumes.
/// </summary>
/// <param name="Steps">Committed steps that it covers.</param>
internal sealed record PhaseFile(long Steps, IReadOnlyDictionary<string, PhaseTime> Phases)
{
    public const string Name = "phases.json";

    public static readonly PhaseFile Empty = new(0, new Dictionary<string, PhaseTime>(StringComparer.Ordinal));

    /// <exception cref="IOException">The disk refused.</exception>
    public void Write(string folder) => WholeFile.Write(Path.Combine(folder, Name), json =>
    {
        json.WriteNumber("steps", Steps);
        json.WriteStartArray("phases");
        foreach (var (name, time) in Phases.OrderByDescending(static p => p.Value.Seconds))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteNumber("count", time.Count);
            json.WriteNumber("seconds", Math.Round(time.Seconds, 6));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <returns><see cref="Empty"/> when there is none that can be read.</returns>
    public static PhaseFile Read(string folder)
    {
        try
        {
            var path = Path.Combine(folder, Name);
            if (!File.Exists(path)) return Empty;
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var phases = new Dictionary<string, PhaseTime>(StringComparer.Ordinal);
            foreach (var phase in json.RootElement.GetProperty("phases").EnumerateArray())
                phases[phase.GetProperty("name").GetString() ?? ""] = new PhaseTime(phase.GetProperty("count").GetInt64(), phase.GetProperty("seconds").GetDouble());
            return new PhaseFile(json.RootElement.GetProperty("steps").GetInt64(), phases);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return Empty;
        }
    }
}
