using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Receives OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp) on a port of its own and keeps the spans.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<OtlpSpan> _spans = new();
    private int _metricRequests;

    private OtlpCollector(WebApplication server) => _server = server;

    public IReadOnlyCollection<OtlpSpan> Spans => [.. _spans];

    public int MetricRequests => Volatile.Read(ref _metricRequests);

    /// <summary>What makes a process send here.</summary>
    public Dictionary<string, string> Environment => EnvironmentFor(_server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public static Dictionary<string, string> EnvironmentFor(string address) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = address,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
    };

    public static async Task<OtlpCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new OtlpCollector(builder.Build());
        collector._server.MapPost("/v1/traces", (RequestDelegate)collector.TakeTracesAsync);
        collector._server.MapPost("/v1/metrics", (RequestDelegate)collector.TakeMetricsAsync);
        await collector._server.StartAsync();
        return collector;
    }

    private async Task TakeTracesAsync(HttpContext context)
    {
        foreach (var span in OtlpSpan.FromRequest(await BodyAsync(context))) _spans.Enqueue(span);
        Answer(context);
    }

    private async Task TakeMetricsAsync(HttpContext context)
    {
        await BodyAsync(context);
        Interlocked.Increment(ref _metricRequests);
        Answer(context);
    }

    private static async Task<byte[]> BodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    /// <summary>An empty message: everything was taken.</summary>
    private static void Answer(HttpContext context) => context.Response.ContentType = "application/x-protobuf";

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
