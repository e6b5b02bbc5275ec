using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cluster.Coordinator.Monitor.Health;

/// <summary>Whether a process is well, or ready; and why, for a person.</summary>
/// <param name="Reason">A sentence's end, without a full stop.</param>
public readonly record struct HealthVerdict(bool IsGood, string Reason)
{
    /// <summary>200 or 503, with a JSON body that gives the reason.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.StatusCode = IsGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.Body.WriteAsync(ToJson()).AsTask();
    }

    /// <summary><c>{"status":"ok","reason":"…"}</c>, or <c>"unavailable"</c>.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["status"] = IsGood ? "ok" : "unavailable", ["reason"] = Reason });
}

/// <summary>Answers to <c>/healthz/live</c> and <c>/healthz/ready</c>. Any thread.</summary>
public interface IHealth
{
    /// <summary>Whether the process turns over; one that does not is to be started again.</summary>
    HealthVerdict Live(DateTimeOffset now);

    /// <summary>Whether it does its work in the run now. False before a planned leave starts.</summary>
    HealthVerdict Ready();
}

/// <summary>The paths under which health is asked for.</summary>
public static class HealthRoutes
{
    public const string Live = "/healthz/live", Ready = "/healthz/ready";

    public static IEnumerable<Web.MonitorRoute> Of(IHealth health, TimeProvider time) =>
    [
        new(Live, context => health.Live(time.GetUtcNow()).AnswerAsync(context)),
        new(Ready, context => health.Ready().AnswerAsync(context)),
    ];
}
