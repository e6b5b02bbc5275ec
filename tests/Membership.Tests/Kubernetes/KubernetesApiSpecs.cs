using System.Net;
using System.Text;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>What is asked, and what becomes of each answer.</summary>
public sealed class KubernetesApiSpecs : ApiClientSpecs
{
    [Fact]
    public async Task Pods_with_the_labels_come_back()
    {
        Server.Answer = ApiServer.Of(200, PodJson.List(PodJson.OfSet("c", 1, "10.0.0.2"), PodJson.OfSet("c", 0, "10.0.0.1")));
        Assert.Equal(["c-0.c.cluster.svc:7100", "c-1.c.cluster.svc:7100"], SeedPods.Of(await List(), 7100).Seeds.Select(static seed => seed.ToString()));
        Assert.StartsWith($"GET /api/v1/namespaces/cluster/pods?labelSelector=app.kubernetes.io%2Fname%3Dcluster%2Ccomponent%20in%20%28a%2Cb%29&limit={Limits.SeedPods} HTTP/1.1\r\n", Server.Asked, StringComparison.Ordinal);
        Assert.Contains($"Authorization: Bearer {ApiServer.Token}\r\n", Server.Asked, StringComparison.Ordinal);
        // The newest list, not one that a cache still has.
        Assert.DoesNotContain("resourceVersion", Server.Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_finds_its_seeds_over_the_wire_while_theServer_fails_and_mends()
    {
        var said = new List<string>();
        var times = new SeedTimes { Look = TimeSpan.FromMilliseconds(5), Pause = TimeSpan.FromMilliseconds(5), Stable = TimeSpan.FromMilliseconds(50) };
        var rules = new SeedRules(LinkAddress.Parse("c-0.c.cluster.svc:7100"), IsCoordinator: true, SeedRules.DefaultRequired) { Times = times };
        Server.Answer = ApiServer.Of(403, """{"message":"pods is forbidden"}""");
        // Each sentence is the server's turn to go on.
        var seeds = await new KubernetesSeeds(Selector, rules, new KubernetesApi(Server.Account, TimeSpan.FromSeconds(30)), TimeProvider.System, sentence =>
        {
            said.Add(sentence);
            Server.Answer = ApiServer.Of(200, said.Count == 1 ? PodJson.List(PodJson.OfSet("c", 0, "10.0.0.1")) : PodJson.List(PodJson.OfSet("c", 1, "10.0.0.2"), PodJson.OfSet("c", 0, "10.0.0.1")));
        }).FindAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(["c-0.c.cluster.svc:7100", "c-1.c.cluster.svc:7100"], seeds.Select(static seed => seed.ToString()));
        Assert.Equal(["may not list pods", "1 of 2 seeds", "they count when", "joins through"], said.Zip((string[])["may not list pods", "1 of 2 seeds", "they count when", "joins through"]).Where(static pair => pair.First.Contains(pair.Second, StringComparison.Ordinal)).Select(static pair => pair.Second));
        Assert.Equal(4, said.Count);
    }

    [Fact]
    public async Task Another_namespace_is_asked_where_it_is_named()
    {
        Server.Answer = ApiServer.Of(200, PodJson.List());
        Assert.Empty(await List(PodSelector.Parse("k8s:app=x@training:7100")));
        Assert.StartsWith("GET /api/v1/namespaces/training/pods?", Server.Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_and_authority_are_read_anew_for_every_request()
    {
        Server.Answer = ApiServer.Of(200, PodJson.List());
        var api = new KubernetesApi(Server.Account, TimeSpan.FromSeconds(30));
        await api.ListAsync(Selector, TestContext.Current.CancellationToken);
        Server.Put("token", "another-one");
        var next = Server.Certificates.Authority("CN=another cluster");
        Server.Show(Server.Certificates.Server(next));
        Server.Trust(next);
        await api.ListAsync(Selector, TestContext.Current.CancellationToken);
        Assert.Contains("Authorization: Bearer another-one\r\n", Server.Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_in_pieces_without_a_length_is_read()
    {
        var body = PodJson.List(PodJson.OfSet("c", 0, "10.0.0.1"));
        Server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{body[..5]}\r\n{body.Length - 5:x}\r\n{body[5..]}\r\n0\r\n\r\n");
        Assert.Single(await List());
    }

    [Theory]
    [InlineData(400, true, "does not take the selector 'app.kubernetes.io/name=cluster,component in (a,b)' (400): the server's reason")]
    [InlineData(401, false, "does not accept the token")]
    [InlineData(403, false, "may not list pods in namespace cluster (403): it needs a Role with the verb 'list' on 'pods'")]
    [InlineData(404, true, "(404): the server's reason")]
    [InlineData(429, false, "answers 429: the server's reason")]
    [InlineData(500, false, "answers 500: the server's reason")]
    public async Task Refusal_says_what_to_do_and_whether_asking_again_helps(int status, bool isFinal, string says)
    {
        Server.Answer = ApiServer.Of(status, """{"kind":"Status","status":"Failure","message":"the server's reason","code":1}""");
        var refusal = await Refusal();
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(isFinal, refusal.IsFinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("<html>")]
    [InlineData("""{"message":null}""")]
    [InlineData("""{"message":"two\nlines\u001b[2J"}""")]
    [InlineData("""{"message":"\ud800"}""")]
    public async Task Refusal_with_any_body_is_one_line(string body)
    {
        Server.Answer = ApiServer.Of(500, body);
        Assert.DoesNotContain((await Refusal()).Message, char.IsControl);
    }

    [Fact]
    public async Task Redirection_is_not_followed()
    {
        using var elsewhere = new ApiServer { Answer = ApiServer.Of(200, PodJson.List()) };
        Server.Trust(Server.Authority, elsewhere.Authority);
        Server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 301 Any\r\nLocation: {elsewhere.Url}\r\nContent-Length: 0\r\n\r\n");
        Assert.Contains("answers 301", (await Refusal()).Message, StringComparison.Ordinal);
        Assert.Equal("", elsewhere.Asked);
    }

    /// <summary>What the process takes from HTTPS_PROXY and its like is .NET's default proxy; here it is one for this server alone.</summary>
    [Fact]
    public async Task Proxy_of_the_environment_is_not_used()
    {
        var (before, proxy) = (HttpClient.DefaultProxy, new Proxy(Server.Url));
        HttpClient.DefaultProxy = proxy;
        try
        {
            Server.Answer = ApiServer.Of(200, PodJson.List());
            Assert.Empty(await List());
            Assert.False(proxy.IsAsked);
            // It would have been: whoever does not say otherwise asks it.
            using var client = new HttpClient();
            await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(Server.Url, TestContext.Current.CancellationToken));
            Assert.True(proxy.IsAsked);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    /// <summary>Of one server; there is nobody where it says that it is.</summary>
    private sealed class Proxy(Uri server) : IWebProxy
    {
        public bool IsAsked { get; private set; }

        public ICredentials? Credentials { get; set; }

        public bool IsBypassed(Uri host) => host.Authority != server.Authority;

        public Uri? GetProxy(Uri destination)
        {
            if (IsBypassed(destination)) return null;
            IsAsked = true;
            return new Uri("http://127.0.0.1:1");
        }
    }

    [Fact]
    public async Task Answer_without_end_is_not_taken()
    {
        var pods = PodJson.List();
        Server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Limits.PodListBytes + 1L}\r\n\r\n{pods}");
        await RefusesAsTooLong(isFinal: true);
        // Nor when it does not say how long it is.
        Server.Answer = [.. "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8, .. Encoding.UTF8.GetBytes(pods), .. new byte[Limits.PodListBytes]];
        await RefusesAsTooLong(isFinal: true);
        // What is no list may be shorter the next time.
        Server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 502 Any\r\nContent-Length: {Limits.PodListBytes + 1L}\r\n\r\n");
        await RefusesAsTooLong(isFinal: false);

        async Task RefusesAsTooLong(bool isFinal)
        {
            var refusal = await Refusal();
            Assert.Contains($"more than {Limits.PodListBytes} bytes", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(isFinal, refusal.IsFinal);
        }
    }

    [Fact]
    public async Task Answer_that_is_cut_off_is_not_taken()
    {
        var whole = PodJson.List(PodJson.OfSet("c", 0, "10.0.0.1"));
        Server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {whole.Length}\r\n\r\n{whole[..^20]}");
        Assert.Contains("cut off", (await Refusal()).Message, StringComparison.Ordinal);
        Server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{whole[..^20]}");
        Assert.Contains("cut off", (await Refusal()).Message, StringComparison.Ordinal);
        Server.Answer = "HTTP/1.1 2"u8.ToArray();
        Assert.Contains("cannot be asked", (await Refusal()).Message, StringComparison.Ordinal);
        Server.Answer = [];
        Assert.Contains("cannot be asked", (await Refusal()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_that_is_no_list_is_not_taken()
    {
        Server.Answer = ApiServer.Of(200, "it works!");
        Assert.Contains("no list of pods", (await Refusal()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_says_nothing_is_waited_for_no_longer_than_the_limit()
    {
        Server.Answer = null;
        Assert.Contains("did not answer within 0.3 s", (await Refusal(TimeSpan.FromSeconds(0.3))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_there_is_said()
    {
        var account = Server.Account with { Api = new Uri("https://127.0.0.1:1") };
        var refusal = await Assert.ThrowsAsync<PodsUnknownException>(() => new KubernetesApi(account, TimeSpan.FromSeconds(30)).ListAsync(Selector, TestContext.Current.CancellationToken));
        Assert.Contains("127.0.0.1:1 cannot be asked", refusal.Message, StringComparison.Ordinal);
    }
}
