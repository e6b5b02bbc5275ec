using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Coordinator.Monitor.Live;
using Cluster.Coordinator.Monitor.Traces;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Coordinator.Monitor.Tests.Web;

/// <summary>The server over real connections: headers, refusals, and browsers that come and go.</summary>
[Trait("Clock", "wall")]
public sealed class MonitorServerSpecs : IAsyncLifetime
{
    private readonly LiveRun _run = new(new LiveFacts("id", "t", "a model", 10, 100, 10, 1, 1), [], [], new RecentTraces(), keepsTraces: true, TimeProvider.System);
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private MonitorServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await MonitorServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), [.. LiveRoutes.Of(_run, new RecentTraces())]);

    public async ValueTask DisposeAsync()
    {
        _run.Dispose();
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("/", "text/html; charset=utf-8")]
    [InlineData("/page.css", "text/css; charset=utf-8")]
    [InlineData("/main.js", "text/javascript; charset=utf-8")]
    [InlineData("/api/run", "application/json")]
    [InlineData("/api/trace?step=7", "application/json")]
    public async Task Every_answer_says_that_nothing_foreign_may_be_loaded_and_nothing_kept(string path, string type)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Head])
        {
            using var answer = await _client.SendAsync(new HttpRequestMessage(method, _server.Address + path));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(type, answer.Content.Headers.ContentType!.ToString());
            Assert.StartsWith("default-src 'self'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.True(answer.Headers.CacheControl!.NoStore);
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    [Theory]
    [InlineData("GET", "/no/such", 404)]
    [InlineData("GET", "/../etc/passwd", 404)]
    [InlineData("POST", "/api/run", 405)]
    [InlineData("DELETE", "/", 405)]
    [InlineData("GET", "/api/trace", 400)]
    [InlineData("GET", "/api/trace?step=x", 400)]
    public async Task What_is_not_served_is_refused(string method, string path, int status)
    {
        using var answer = await _client.SendAsync(new HttpRequestMessage(new HttpMethod(method), _server.Address + path));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_foreign_name_for_this_machine_reads_nothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _server.Address + "/api/run");
        request.Headers.Host = "rebound.example";
        using var answer = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Fact]
    public async Task The_token_goes_from_the_address_into_a_cookie()
    {
        await using var open = await MonitorServer.StartAsync(new IPEndPoint(IPAddress.Any, 0), [new MonitorRoute("/", static c => Task.CompletedTask)], token: "a token&more");
        var address = $"http://127.0.0.1:{open.EndPoint.Port}";
        using var refused = await _client.GetAsync(address);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var welcome = await _client.GetAsync(address + new Uri(open.Link).PathAndQuery);
        Assert.Equal((HttpStatusCode.SeeOther, "/"), (welcome.StatusCode, welcome.Headers.Location!.ToString()));
        var cookie = Assert.Single(welcome.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        using var second = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { { "Cookie", cookie[..cookie.IndexOf(';', StringComparison.Ordinal)] } } };
        using var shown = await _client.SendAsync(second);
        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
    }

    [Fact]
    public async Task A_port_in_use_is_an_IOException()
    {
        using var taken = new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        await Assert.ThrowsAnyAsync<IOException>(() => MonitorServer.StartAsync((IPEndPoint)taken.LocalEndPoint!, []));
        // An address of nobody's here (TEST-NET-1, RFC 5737).
        await Assert.ThrowsAnyAsync<IOException>(() => MonitorServer.StartAsync(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0), []));
    }

    [Fact]
    public async Task Pages_beyond_the_bound_get_503_and_come_in_when_others_have_gone()
    {
        var streams = new List<Stream>();
        for (var i = 0; i < LiveStream.MaxListeners; i++) streams.Add(await _client.GetStreamAsync(_server.Address + "/api/events"));
        using var refused = await _client.GetAsync(_server.Address + "/api/events");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        foreach (var stream in streams) await stream.DisposeAsync();
        await Until(() => _run.Stream.Count == 0);
        using var again = new StreamReader(await _client.GetStreamAsync(_server.Address + "/api/events"));
        Assert.Equal("event: all", await again.ReadLineAsync());
    }

    [Fact]
    public async Task Browsers_that_connect_and_leave_by_the_thousand_leave_nothing_behind()
    {
        var hello = Encoding.ASCII.GetBytes("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        for (var i = 0; i < 2000; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(_server.EndPoint);
                // Some leave without a word, some in the middle of one, some when the answer begins; all of them rudely.
                await socket.SendAsync(hello.AsMemory(0, i % 3 == 0 ? 0 : i % 3 == 1 ? 20 : hello.Length));
                socket.LingerState = new LingerOption(enable: true, 0);
            }
            catch (SocketException)
            {
                // One more than the server has room for at this moment.
            }
        }
        await Until(() => _run.Stream.Count == 0);
        await Until(() => IsServedAsync().GetAwaiter().GetResult());
    }

    [Fact]
    public async Task Who_looks_on_hears_the_end_before_the_server_goes()
    {
        await using var server = await MonitorServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), [.. LiveRoutes.Of(_run, new RecentTraces())]);
        using var reader = new StreamReader(await _client.GetStreamAsync(server.Address + "/api/events"));
        Assert.Equal("event: all", await reader.ReadLineAsync());
        _run.Ended(new RunEnding(new(10), true, "done", "abc"));
        _run.Dispose();
        await server.DisposeAsync();
        Assert.Contains("\"sha256\":\"abc\"", await reader.ReadToEndAsync());
    }

    private async Task<bool> IsServedAsync()
    {
        try
        {
            using var answer = await _client.GetAsync(_server.Address + "/api/run");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task Until(Func<bool> holds)
    {
        var deadline = DateTime.UtcNow.AddSeconds(60);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < deadline, "not within 60 s");
            await Task.Delay(20);
        }
    }
}
