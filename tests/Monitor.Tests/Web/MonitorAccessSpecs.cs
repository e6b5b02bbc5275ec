using System.Net;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Coordinator.Monitor.Tests.Web;

/// <summary>Who may look on.</summary>
public sealed class MonitorAccessSpecs
{
    private static readonly Asking Plain = new("GET", "/", "127.0.0.1", null, null, null);

    [Theory]
    [InlineData("127.0.0.1:0", "127.0.0.1", 0)]
    [InlineData("0.0.0.0:8080", "0.0.0.0", 8080)]
    [InlineData("[::1]:65535", "::1", 65535)]
    [InlineData("localhost:80", "127.0.0.1", 80)]
    public void Addresses_are_read(string text, string host, int port)
    {
        Assert.True(MonitorAddress.TryParse(text, out var endPoint));
        Assert.Equal(new IPEndPoint(IPAddress.Parse(host), port), endPoint);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData(":80")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("127.0.0.1: 80")]
    [InlineData("127.1:80")]
    [InlineData("::1:80")]
    [InlineData("[127.0.0.1]:80")]
    [InlineData("host.example:80")]
    [InlineData("http://127.0.0.1:80")]
    [InlineData("none ")]
    public void What_is_no_address_is_a_mistake(string text) => Assert.False(MonitorAddress.TryParse(text, out _));

    [Theory]
    [InlineData("127.0.0.1", Verdict.Serve)]
    [InlineData("127.8.8.8", Verdict.Serve)]
    [InlineData("localhost", Verdict.Serve)]
    [InlineData("LOCALHOST", Verdict.Serve)]
    [InlineData("[::1]", Verdict.Serve)]
    [InlineData("rebound.example", Verdict.WrongHost)]
    [InlineData("localhost.rebound.example", Verdict.WrongHost)]
    [InlineData("192.168.1.4", Verdict.WrongHost)]
    [InlineData("", Verdict.WrongHost)]
    [InlineData(null, Verdict.WrongHost)]
    public void On_loopback_a_browser_must_know_it_as_loopback(string? host, Verdict expected) =>
        Assert.Equal(expected, new MonitorAccess(token: null).Decide(Plain with { Host = host }));

    [Fact]
    public void Elsewhere_the_token_is_needed_in_one_of_three_places()
    {
        var access = new MonitorAccess("secret");
        Assert.Equal(Verdict.NoToken, access.Decide(Plain));
        Assert.Equal(Verdict.NoToken, access.Decide(Plain with { QueryToken = "Secret" }));
        Assert.Equal(Verdict.NoToken, access.Decide(Plain with { CookieToken = "secret2", Authorization = "Basic secret" }));
        Assert.Equal(Verdict.Remember, access.Decide(Plain with { QueryToken = "secret" }));
        Assert.Equal(Verdict.Remember, access.Decide(Plain with { QueryToken = "old", CookieToken = "secret" }));
        Assert.Equal(Verdict.Serve, access.Decide(Plain with { CookieToken = "secret" }));
        Assert.Equal(Verdict.Serve, access.Decide(Plain with { Authorization = "bearer secret" }));
    }

    [Theory]
    [InlineData("/healthz/live", Verdict.Serve)]
    [InlineData("/healthz/ready", Verdict.Serve)]
    [InlineData("/metrics", Verdict.NoToken)]
    public void Whoever_keeps_a_process_alive_needs_none(string path, Verdict expected) =>
        Assert.Equal(expected, new MonitorAccess("secret").Decide(Plain with { Path = path, Host = "10.0.0.7" }));

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("get")]
    public void It_only_shows(string method) => Assert.Equal(Verdict.WrongMethod, new MonitorAccess(token: null).Decide(Plain with { Method = method }));

    [Fact]
    public void An_address_that_others_reach_has_a_token_whether_or_not_one_is_given()
    {
        var open = new IPEndPoint(IPAddress.Any, 0);
        Assert.Null(MonitorAccess.For(new IPEndPoint(IPAddress.IPv6Loopback, 0), "given").Token);
        Assert.Equal("given", MonitorAccess.For(open, " given\n").Token);
        Assert.Matches("^[0-9a-f]{32}$", MonitorAccess.For(open, " ").Token);
        Assert.NotEqual(MonitorAccess.For(open, null).Token, MonitorAccess.For(open, null).Token);
    }
}
