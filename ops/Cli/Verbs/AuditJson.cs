using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Coordinator.Core.Audit;

namespace Cluster.Cli.Verbs;

/// <summary>An audit's report as audit.json.</summary>
internal static class AuditJson
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>One JSON object and a newline. Leaves and workers count from 0, lines and steps from 1.</returns>
    public static string Write(AuditReport report, StoredRun run)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("verdict", report.IsClean ? "clean" : "not clean");
            json.WriteBoolean("clean", report.IsClean);
            json.WriteString("run_id", run.RunId);
            json.WriteNumber("seed", run.Options.Seed);
            json.WriteNumber("steps", report.Steps);
            json.WriteNumber("total_steps", report.TotalSteps);
            json.WriteNumber("training_samples", report.TrainingSamples);
            json.WriteNumber("leaves", report.Leaves);
            json.WriteNumber("samples_proven", report.SamplesProven);
            json.WriteNumber("samples_applied", report.SamplesApplied);
            json.WriteNumber("epochs_whole", report.EpochsWhole);
            json.WriteNumber("epochs_faulty", report.EpochsFaulty);
            Partial(json, report.Partial);
            json.WriteNumber("skipped_count", report.SkippedCount);
            json.WriteStartArray("skipped");
            foreach (var skipped in report.Skipped)
            {
                json.WriteStartObject();
                json.WriteNumber("step", skipped.Step);
                json.WriteNumber("epoch", skipped.Epoch);
                json.WriteNumber("samples", skipped.Samples);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("left_out_count", report.LeftOutCount);
            json.WriteStartArray("left_out");
            foreach (var sample in report.LeftOut)
            {
                json.WriteStartObject();
                json.WriteNumber("step", sample.Step);
                json.WriteNumber("sample", sample.Sample);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("retried", report.Retried);
            json.WriteNumber("first_term", report.FirstTerm);
            json.WriteNumber("last_term", report.LastTerm);
            json.WriteNumber("terms", report.Terms);
            json.WriteNumber("cut_bytes", report.CutBytes);
            json.WriteStartArray("workers");
            foreach (var share in report.Workers)
            {
                json.WriteStartObject();
                json.WriteString("worker", share.Worker.ToString());
                json.WriteNumber("leaves", share.Leaves);
                json.WriteNumber("samples", share.Samples);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("finding_count", report.FindingCount);
            json.WriteStartArray("findings");
            foreach (var finding in report.Findings) Finding(json, finding);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)) + "\n";
    }

    private static void Partial(Utf8JsonWriter json, PartialEpoch? partial)
    {
        if (partial is null)
        {
            json.WriteNull("partial_epoch");
            return;
        }
        json.WriteStartObject("partial_epoch");
        json.WriteNumber("epoch", partial.Epoch);
        json.WriteNumber("samples", partial.Samples);
        json.WriteEndObject();
    }

    private static void Finding(Utf8JsonWriter json, AuditFinding finding)
    {
        json.WriteStartObject();
        json.WriteString("fault", JsonNamingPolicy.SnakeCaseLower.ConvertName(finding.Fault.ToString()));
        if (finding.Line > 0) json.WriteNumber("line", finding.Line);
        else json.WriteNull("line");
        if (finding.Step is { } step) json.WriteNumber("step", step);
        else json.WriteNull("step");
        if (finding.Leaf is { } leaf) json.WriteNumber("leaf", leaf);
        else json.WriteNull("leaf");
        json.WriteString("sentence", finding.Sentence);
        json.WriteEndObject();
    }
}
