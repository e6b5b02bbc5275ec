using Cluster.Cli.Configuration;
using Cluster.Contracts;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Cluster.Cli.Hosting;

/// <summary>
/// Exports spans and metrics over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set (the SDK honours the other
/// <c>OTEL_*</c> variables); without it nothing listens and a span costs nanoseconds. A collector that is down loses
/// spans, never a step.
/// </summary>
internal sealed class TelemetryExport : IDisposable
{
    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;

    private TelemetryExport(TracerProvider? traces, MeterProvider? metrics) => (_traces, _metrics) = (traces, metrics);

    /// <param name="runId">Becomes a resource attribute of every span and metric.</param>
    public static TelemetryExport Start(string runId)
    {
        if (string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"))) return new TelemetryExport(null, null);
        var resource = ResourceBuilder.CreateDefault()
            .AddService("cluster", serviceVersion: ProgramVersion.Text, serviceInstanceId: Guid.NewGuid().ToString("N"))
            .AddAttributes([new(ClusterTelemetry.Tags.RunId, runId), new("host.name", Environment.MachineName), new("process.pid", Environment.ProcessId)])
            .AddEnvironmentVariableDetector();
        return new TelemetryExport(
            Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(ClusterTelemetry.SourceName).AddOtlpExporter().Build(),
            Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(ClusterTelemetry.SourceName).AddMeter("System.Runtime").AddOtlpExporter().Build());
    }

    /// <summary>Sends what is still queued, for at most the exporter's timeout.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
