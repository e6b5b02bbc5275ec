using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Cluster.Cli.Hosting;

/// <summary>
/// Exports spans and metrics over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> (or that of one of the two) is set; the SDK
/// honours the other <c>OTEL_*</c> variables. A collector that is down, slow or refuses loses spans, never a step.
/// </summary>
internal sealed class TelemetryExport : IDisposable
{
    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;

    private TelemetryExport(TracerProvider? traces, MeterProvider? metrics) => (_traces, _metrics) = (traces, metrics);

    /// <param name="runId">Becomes a resource attribute of every span and metric.</param>
    /// <param name="traceEvery">Traces of every so many steps are sent, unless <c>OTEL_TRACES_SAMPLER</c> says otherwise.</param>
    /// <param name="say">Told once when the collector takes nothing; any thread. Null = it is only counted.</param>
    public static TelemetryExport Start(string runId, long traceEvery = 1, Action<string>? say = null)
    {
        if (SpanRecorder.IsDisabled) return new TelemetryExport(null, null);
        var resource = ResourceBuilder.CreateDefault()
            .AddService("cluster", serviceVersion: ProgramVersion.Text, serviceInstanceId: Guid.NewGuid().ToString("N"))
            .AddAttributes([new(ClusterTelemetry.Tags.RunId, runId), new("host.name", Environment.MachineName), new("process.pid", Environment.ProcessId)])
            .AddEnvironmentVariableDetector();
        return new TelemetryExport(
            !IsWanted("TRACES") ? null
                : Sampled(Sdk.CreateTracerProviderBuilder(), traceEvery).SetResourceBuilder(resource).AddSource(ClusterTelemetry.SourceName).AddOtlpExporter(Watch).Build(),
            !IsWanted("METRICS") ? null
                : Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(ClusterTelemetry.SourceName).AddMeter("System.Runtime").AddOtlpExporter(Watch).Build());

        void Watch(OtlpExporterOptions options) =>
            options.HttpClientFactory = () => new HttpClient(new CollectorWatch(say)) { Timeout = TimeSpan.FromMilliseconds(options.TimeoutMilliseconds) };
    }

    private static TracerProviderBuilder Sampled(TracerProviderBuilder builder, long every) =>
        every == 1 || Is("OTEL_TRACES_SAMPLER") ? builder : builder.SetSampler(new ParentBasedSampler(new StepSampler(every)));

    private static bool IsWanted(string signal) =>
        (Is("OTEL_EXPORTER_OTLP_ENDPOINT") || Is($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))
        && !string.Equals(Environment.GetEnvironmentVariable($"OTEL_{signal}_EXPORTER"), "none", StringComparison.OrdinalIgnoreCase);

    private static bool Is(string variable) => !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(variable));

    /// <summary>Sends what is still queued, for at most the exporter's timeout.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
