using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Coordinator.Monitor.Web;

/// <summary>One page of a <see cref="MonitorServer"/>.</summary>
/// <param name="Path">Absolute, <c>/metrics</c>.</param>
public sealed record MonitorRoute(string Path, Func<HttpContext, Task> Answer);

/// <summary>Serves a run's page, metrics and health on one address (Kestrel). Requests never touch the run: they read what watchers keep.</summary>
public sealed class MonitorServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private MonitorServer(WebApplication application, string address) => (_application, Address) = (application, address);

    /// <summary>With the port that was taken: <c>http://127.0.0.1:40123</c>.</summary>
    public string Address { get; }

    /// <exception cref="IOException">The address is taken, or not this machine's.</exception>
    public static async Task<MonitorServer> StartAsync(IPEndPoint endPoint, IReadOnlyList<MonitorRoute> routes)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(endPoint);
        });
        var application = builder.Build();
        var byPath = routes.ToDictionary(static r => r.Path, static r => r.Answer, StringComparer.Ordinal);
        application.Run(context =>
        {
            if (byPath.TryGetValue(context.Request.Path.Value ?? "", out var answer)) return answer(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        await application.StartAsync();
        return new MonitorServer(application, application.Urls.First());
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }
}
