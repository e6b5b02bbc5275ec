using System.Text;
using Cluster.Coordinator.Monitor.Web;
using Microsoft.AspNetCore.Http;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary><c>/metrics</c>.</summary>
public static class MetricsRoute
{
    public const string Path = "/metrics";

    /// <param name="read">What there is now; called by requests, any thread.</param>
    public static MonitorRoute Of(string runId, Func<IReadOnlyList<MetricFamily>> read) => new(Path, async context =>
    {
        var accept = context.Request.Headers.Accept;
        var isOpenMetrics = MetricsText.IsOpenMetrics(accept.Count == 0 ? null : accept.ToString());
        context.Response.ContentType = isOpenMetrics ? MetricsText.OpenMetricsType : MetricsText.PlainType;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(MetricsText.Write(read(), runId, isOpenMetrics)));
    });
}
