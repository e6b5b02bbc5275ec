using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Cluster.Coordinator.Monitor.Web;

/// <summary>One page of a <see cref="MonitorServer"/>.</summary>
/// <param name="Path">Absolute, <c>/metrics</c>.</param>
public sealed record MonitorRoute(string Path, Func<HttpContext, Task> Answer);

/// <summary>
/// Serves a run's page, metrics and health on one address (Kestrel). Requests never touch the run: they read what watchers
/// keep. At another address than a loopback one a token is asked for, see <see cref="MonitorAccess"/>.
/// </summary>
public sealed class MonitorServer : IAsyncDisposable
{
    /// <summary>Connections at once; one more is closed. A browser opens up to six.</summary>
    private const int MaxConnections = 256;

    /// <summary>What pages that look on have to take the last words.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private readonly WebApplication _application;
    private readonly MonitorAccess _access;

    private MonitorServer(WebApplication application, MonitorAccess access, IPEndPoint bound)
    {
        _application = application;
        _access = access;
        EndPoint = bound;
        Address = MonitorAddress.UrlOf(bound);
    }

    /// <summary>With the port that was taken: <c>http://127.0.0.1:40123</c>.</summary>
    public string Address { get; }

    public IPEndPoint EndPoint { get; }

    /// <summary>That every request needs; null at a loopback address.</summary>
    public string? Token => _access.Token;

    /// <summary>For a person: the address, with the token where one is needed.</summary>
    public string Link => Token is { } token ? $"{Address}/?token={Uri.EscapeDataString(token)}" : Address;

    /// <param name="token">For addresses that need one; null = that of <see cref="MonitorAccess.TokenVariable"/>, else a new one.</param>
    /// <exception cref="IOException">The address is taken, or not this machine's.</exception>
    public static async Task<MonitorServer> StartAsync(IPEndPoint endPoint, IReadOnlyList<MonitorRoute> routes, string? token = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(routes);
        var chosen = Environment.GetEnvironmentVariable(MonitorAccess.TokenVariable);
        var access = MonitorAccess.For(endPoint, string.IsNullOrWhiteSpace(chosen) ? token : chosen);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, endPoint));
        var application = builder.Build();
        var byPath = routes.ToDictionary(static r => r.Path, static r => r.Answer, StringComparer.Ordinal);
        application.Run(context => AnswerAsync(context, access, byPath));
        try
        {
            await application.StartAsync();
        }
        catch (Exception e)
        {
            await application.DisposeAsync();
            // An address of another machine is a SocketException as it is.
            if (e is IOException or not System.Net.Sockets.SocketException) throw;
            throw new IOException($"cannot listen at {endPoint}: {e.Message}", e);
        }
        var bound = new IPEndPoint(endPoint.Address, new Uri(application.Urls.First()).Port);
        return new MonitorServer(application, access, bound);
    }

    private static void Configure(KestrelServerOptions kestrel, IPEndPoint endPoint)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.MaxRequestLineSize = 4096;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16_384;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
        kestrel.Listen(endPoint, static listen => listen.Protocols = HttpProtocols.Http1);
    }

    private static async Task AnswerAsync(HttpContext context, MonitorAccess access, Dictionary<string, Func<HttpContext, Task>> routes)
    {
        var (request, response) = (context.Request, context.Response);
        var cookie = "cluster-monitor-" + context.Connection.LocalPort.ToString(CultureInfo.InvariantCulture);
        SetHeaders(response.Headers);
        var path = request.Path.Value ?? "";
        var asking = new Asking(request.Method, path, request.Host.Host, request.Query["token"].FirstOrDefault(), request.Cookies[cookie], request.Headers.Authorization.FirstOrDefault());
        switch (access.Decide(asking))
        {
            case Verdict.WrongMethod:
                response.Headers.Allow = "GET, HEAD";
                await RefuseAsync(response, StatusCodes.Status405MethodNotAllowed, "This server only shows: GET and HEAD.");
                break;
            case Verdict.WrongHost:
                await RefuseAsync(response, StatusCodes.Status421MisdirectedRequest, "This server is known as 127.0.0.1 or localhost only.");
                break;
            case Verdict.NoToken:
                response.Headers.WWWAuthenticate = "Bearer";
                await RefuseAsync(response, StatusCodes.Status401Unauthorized, "A token is needed: open /?token=TOKEN, with that of CLUSTER_MONITOR_TOKEN, else the second line of the file monitor in the run's folder.");
                break;
            case Verdict.Remember:
                response.Cookies.Append(cookie, access.Token!, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/" });
                response.StatusCode = StatusCodes.Status303SeeOther;
                response.Headers.Location = path.StartsWith("//", StringComparison.Ordinal) ? "/" : path;
                break;
            default:
                if (routes.TryGetValue(path, out var answer)) await answer(context);
                else await RefuseAsync(response, StatusCodes.Status404NotFound, "There is nothing here.");
                break;
        }
    }

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static Task RefuseAsync(HttpResponse response, int status, string sentence)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync(sentence + "\n");
    }

    /// <summary>Requests that are answered right now are answered to their end, within a second.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(Farewell);
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
    }
}
