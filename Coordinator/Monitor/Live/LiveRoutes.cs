using System.Text.Json;
using Cluster.Coordinator.Monitor.Traces;
using Cluster.Coordinator.Monitor.Web;
using Microsoft.AspNetCore.Http;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>The page's paths: its files, <c>/api/run</c>, <c>/api/trace?step=N</c>, <c>/api/events</c>.</summary>
public static class LiveRoutes
{
    /// <summary>A page that hears nothing for longer asks whether the server is still there.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    /// <summary>What a browser does not take within this time, nobody reads any more.</summary>
    private static readonly TimeSpan WritePatience = TimeSpan.FromSeconds(10);

    public static IEnumerable<MonitorRoute> Of(LiveRun run, RecentTraces traces)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(traces);
        return
        [
            .. PageFiles.Routes(),
            new MonitorRoute("/api/run", context => JsonAsync(context, run.Snapshot())),
            new MonitorRoute("/api/trace", context => TraceAsync(context, traces)),
            new MonitorRoute("/api/events", context => EventsAsync(context, run)),
        ];
    }

    private static Task TraceAsync(HttpContext context, RecentTraces traces)
    {
        if (!long.TryParse(context.Request.Query["step"], out var step))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return context.Response.WriteAsync("Which step? /api/trace?step=N\n");
        }
        return JsonAsync(context, TraceJson.Write(step, traces.Of(step)));
    }

    private static async Task EventsAsync(HttpContext context, LiveRun run)
    {
        context.Response.ContentType = "text/event-stream";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        using var listener = run.Listen();
        if (listener is null)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.ContentType = "text/plain";
            context.Response.Headers.RetryAfter = "5";
            await context.Response.WriteAsync($"{LiveStream.MaxListeners} pages look on already.\n");
            return;
        }
        try
        {
            while (await ListenAsync(context, listener)) { }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The browser has gone, which is its right.
        }
    }

    /// <summary>Sends what is there. False when nothing more comes.</summary>
    private static async Task<bool> ListenAsync(HttpContext context, LiveStream.Listener listener)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        silence.CancelAfter(Silence);
        try
        {
            if (!await listener.Messages.WaitToReadAsync(silence.Token)) return false;
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await WriteAsync(context, "event: idle\ndata: {}\n\n"u8.ToArray());
            return true;
        }
        while (listener.Messages.TryRead(out var message)) await WriteAsync(context, message);
        return true;
    }

    private static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(WritePatience);
        await context.Response.Body.WriteAsync(bytes, patience.Token);
        await context.Response.Body.FlushAsync(patience.Token);
    }

    private static Task JsonAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(json).AsTask();
    }
}
