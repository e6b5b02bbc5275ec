using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Health;
using Cluster.Coordinator.Monitor.Metrics;

namespace Cluster.Cli.Telemetry;

/// <summary>docs/telemetry.md.</summary>
internal static class TelemetryHelp
{
    private const string Introduction = """
        # Telemetry

        Every span, attribute, metric and event of a run. Made by `./cluster help --telemetry > docs/telemetry.md` from `Messages/Contracts/ClusterTelemetry*.cs` and `ops/Cli/Telemetry/TelemetryTables.cs`; a test compares this page with them.

        ## Where it goes

        | What | Where |
        |---|---|
        | `/metrics` | on the address of `--monitor` (printed at the start), for the run and all of its nodes; of a single worker or ps on that of `cluster node --monitor HOST:PORT`. OpenMetrics text; Prometheus' older text for whoever asks for `text/plain` alone |
        | `/healthz/live`, `/healthz/ready` | there too: 200 or 503, with `{"status": …, "reason": …}` |
        | OTLP | spans and metrics, when `OTEL_EXPORTER_OTLP_ENDPOINT` is set; all `OTEL_*` variables count. `ops/otel/collector.yaml` is a collector for it |
        | events.jsonl | in the run's folder: everything unusual, in sentences |
        | `--log json` | `train`, `launch`, `node`: one JSON object per line with `time`, `level`, `node`, `step`, `message`, `trace_id` |

        `ops/prometheus/` has a scrape configuration, recording and alert rules and their tests; `ops/grafana/` has two dashboards, of a run and of its nodes.

        A run is live while its watching thread and its coordinator have turned over within 30 s. It is ready while a term is in force and workers are there: from its first step until it waits (for workers, a term, room on the disk), is asked to stop, or ends. A worker or a ps is ready once it has loaded everything and joined; it is not ready any more before a planned leave starts.

        """;

    private static readonly string NamesOfMetrics = """
        The instruments' meter is `Cluster.Training`; what begins with `dotnet.` is .NET's `System.Runtime`. At `/metrics` dots are underscores, the unit is a word at the end (`s` is `seconds`, `By` is `bytes`, `1` of a gauge is `ratio`), a counter ends in `_total`, and an attribute is its last part (`train.link.lane` is `lane`). Metrics of nodes have a label `node`: `coordinator`, `worker-0`, `ps-1`; `local` in a run of one process. A node that was silent for 15 s is left out.

        An instrument has 64 values of its attribute at most in each process; others are added up under `other`. What does not fit is counted by `train.metrics.overflow`. Buckets of `train.step.duration` carry exemplars: the trace id of a step whose trace is kept (`--trace-every`).

        """;

    public static string Markdown()
    {
        var text = new StringBuilder(Introduction.ReplaceLineEndings("\n"));
        text.Append("\n## Spans\n\nOne trace per step. The source is `").Append(ClusterTelemetry.SourceName).Append("`. The trace id is the first half of the SHA-256 of `RUN-ID/STEP`.\n\n");
        text.Append("| span | of | covers |\n|---|---|---|\n");
        foreach (var row in TelemetryTables.Spans) text.Append($"| `{row.Name}` | {row.Process} | {row.Covers} |\n");
        text.Append("\n## Attributes\n\n| attribute | unit | says |\n|---|---|---|\n");
        foreach (var row in TelemetryTables.Tags) text.Append($"| `{row.Name}` | {Code(row.Unit)} | {row.Says} |\n");
        text.Append("\n## Metrics\n\n").Append(NamesOfMetrics.ReplaceLineEndings("\n"));
        Metrics(text, "Of the run", MetricCatalog.OfRun);
        Metrics(text, "Of each node", MetricCatalog.OfProcess);
        text.Append("\n## Events\n\nLines of events.jsonl; `train.events` counts them by kind.\n\n| kind | phase | what it tells |\n|---|---|---|\n");
        foreach (var (kind, phase, meaning) in EventKinds.Table) text.Append($"| `{kind}` | {phase} | {meaning} |\n");
        text.Append("\n## Health\n\n| path | 200 | 503 |\n|---|---|---|\n");
        text.Append($"| `{HealthRoutes.Live}` | the process turns over | it has stood still for {Turns.Patience.TotalSeconds:0} s: start it again |\n");
        text.Append($"| `{HealthRoutes.Ready}` | it does its work in the run | not yet, not now, or not any more; the reason says which |\n");
        return text.ToString();
    }

    private static void Metrics(StringBuilder text, string title, IEnumerable<MetricRow> rows)
    {
        text.Append($"\n### {title}\n\n| instrument | kind | unit | attribute | at /metrics | what |\n|---|---|---|---|---|---|\n");
        foreach (var row in rows)
        {
            var kind = row.Kind.ToString().ToLowerInvariant();
            var exposed = row.ExposedName + (row.Kind == MetricKind.Counter ? "_total" : "");
            text.Append($"| `{row.Name}` | {kind} | {Code(row.Unit)} | {Code(row.Tag ?? "")} | `{exposed}` | {row.Help} |\n");
        }
    }

    private static string Code(string text) => text.Length == 0 ? "" : $"`{text}`";
}
