using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>The client against an HTTPS server that answers as an API server does, and as it should not.</summary>
public sealed class KubernetesApiSpecs : IDisposable
{
    private static readonly PodSelector Selector = PodSelector.Parse("k8s:app.kubernetes.io/name=cluster,component in (a,b):7100");

    private readonly ApiServer _server = new();

    public void Dispose() => _server.Dispose();

    private Task<IReadOnlyList<SeedPod>> List(PodSelector? selector = null, TimeSpan? limit = null, ApiServer? server = null) =>
        new KubernetesApi((server ?? _server).Account, limit ?? TimeSpan.FromSeconds(30)).ListAsync(selector ?? Selector, TestContext.Current.CancellationToken);

    /// <summary>One line, typed, without the token.</summary>
    private async Task<PodsUnknownException> Refusal(TimeSpan? limit = null, ApiServer? server = null)
    {
        var refusal = await Assert.ThrowsAsync<PodsUnknownException>(() => List(limit: limit, server: server));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.DoesNotContain("sesame", refusal.ToString(), StringComparison.Ordinal);
        return refusal;
    }

    [Fact]
    public async Task Pods_with_the_labels_come_back()
    {
        _server.Answer = ApiServer.Of(200, PodJson.List(PodJson.OfSet("c", 1, "10.0.0.2"), PodJson.OfSet("c", 0, "10.0.0.1")));
        Assert.Equal(["c-0.c.cluster.svc:7100", "c-1.c.cluster.svc:7100"], SeedPods.Of(await List(), 7100).Seeds.Select(static seed => seed.ToString()));
        Assert.StartsWith($"GET /api/v1/namespaces/cluster/pods?labelSelector=app.kubernetes.io%2Fname%3Dcluster%2Ccomponent%20in%20%28a%2Cb%29&limit={Limits.SeedPods} HTTP/1.1\r\n", _server.Asked, StringComparison.Ordinal);
        Assert.Contains($"Authorization: Bearer {ApiServer.Token}\r\n", _server.Asked, StringComparison.Ordinal);
        // The newest list, not one that a cache still has.
        Assert.DoesNotContain("resourceVersion", _server.Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_finds_its_seeds_over_the_wire_while_the_server_fails_and_mends()
    {
        var said = new List<string>();
        var times = new SeedTimes { Look = TimeSpan.FromMilliseconds(5), Pause = TimeSpan.FromMilliseconds(5), Stable = TimeSpan.FromMilliseconds(50) };
        var rules = new SeedRules(LinkAddress.Parse("c-0.c.cluster.svc:7100"), IsCoordinator: true, SeedRules.DefaultRequired) { Times = times };
        _server.Answer = ApiServer.Of(403, """{"message":"pods is forbidden"}""");
        // Each sentence is the server's turn to go on.
        var seeds = await new KubernetesSeeds(Selector, rules, new KubernetesApi(_server.Account, TimeSpan.FromSeconds(30)), TimeProvider.System, sentence =>
        {
            said.Add(sentence);
            _server.Answer = ApiServer.Of(200, said.Count == 1 ? PodJson.List(PodJson.OfSet("c", 0, "10.0.0.1")) : PodJson.List(PodJson.OfSet("c", 1, "10.0.0.2"), PodJson.OfSet("c", 0, "10.0.0.1")));
        }).FindAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(["c-0.c.cluster.svc:7100", "c-1.c.cluster.svc:7100"], seeds.Select(static seed => seed.ToString()));
        Assert.Equal(["may not list pods", "1 of 2 seeds", "they count when", "joins through"], said.Zip((string[])["may not list pods", "1 of 2 seeds", "they count when", "joins through"]).Where(static pair => pair.First.Contains(pair.Second, StringComparison.Ordinal)).Select(static pair => pair.Second));
        Assert.Equal(4, said.Count);
    }

    [Fact]
    public async Task Another_namespace_is_asked_where_it_is_named()
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        Assert.Empty(await List(PodSelector.Parse("k8s:app=x@training:7100")));
        Assert.StartsWith("GET /api/v1/namespaces/training/pods?", _server.Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_and_authority_are_read_anew_for_every_request()
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        var api = new KubernetesApi(_server.Account, TimeSpan.FromSeconds(30));
        await api.ListAsync(Selector, TestContext.Current.CancellationToken);
        _server.Put("token", "another-one");
        var next = _server.Certificates.Authority("CN=another cluster");
        _server.Show(_server.Certificates.Server(next));
        _server.Trust(next);
        await api.ListAsync(Selector, TestContext.Current.CancellationToken);
        Assert.Contains("Authorization: Bearer another-one\r\n", _server.Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_in_pieces_without_a_length_is_read()
    {
        var body = PodJson.List(PodJson.OfSet("c", 0, "10.0.0.1"));
        _server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{body[..5]}\r\n{body.Length - 5:x}\r\n{body[5..]}\r\n0\r\n\r\n");
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
        _server.Answer = ApiServer.Of(status, """{"kind":"Status","status":"Failure","message":"the server's reason","code":1}""");
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
        _server.Answer = ApiServer.Of(500, body);
        Assert.DoesNotContain((await Refusal()).Message, char.IsControl);
    }

    [Fact]
    public async Task Redirection_is_not_followed()
    {
        using var elsewhere = new ApiServer { Answer = ApiServer.Of(200, PodJson.List()) };
        _server.Trust(_server.Authority, elsewhere.Authority);
        _server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 301 Any\r\nLocation: {elsewhere.Url}\r\nContent-Length: 0\r\n\r\n");
        Assert.Contains("answers 301", (await Refusal()).Message, StringComparison.Ordinal);
        Assert.Equal("", elsewhere.Asked);
    }

    /// <summary>What the process takes from HTTPS_PROXY and its like is .NET's default proxy; here it is one for this server alone.</summary>
    [Fact]
    public async Task Proxy_of_the_environment_is_not_used()
    {
        var (before, proxy) = (HttpClient.DefaultProxy, new Proxy(_server.Url));
        HttpClient.DefaultProxy = proxy;
        try
        {
            _server.Answer = ApiServer.Of(200, PodJson.List());
            Assert.Empty(await List());
            Assert.False(proxy.IsAsked);
            // It would have been: whoever does not say otherwise asks it.
            using var client = new HttpClient();
            await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(_server.Url, TestContext.Current.CancellationToken));
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

    /// <summary>As long as real ones are, four times what is shown of a text.</summary>
    private static readonly string LongToken = $"eyJ.sesame-{new string('x', 1_180)}-sesame.c2ln";

    public static TheoryData<string> Tokens => [ApiServer.Token, LongToken];

    [Theory]
    [MemberData(nameof(Tokens))]
    public async Task Server_that_says_the_token_back_does_not_bring_it_into_a_message(string token)
    {
        _server.Put("token", token);
        foreach (var status in (int[])[400, 401, 404, 500])
        {
            _server.Answer = ApiServer.Of(status, $$"""{"message":"what is {{token}} ?"}""");
            Assert.Contains("what is … ?", (await Refusal()).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>.NET quotes what it does not understand, chunks' heads byte by byte in hexadecimal.</summary>
    [Theory]
    [InlineData("{0}\r\n\r\n")]
    [InlineData("HTTP/1.1 {0}\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n{0}\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{0}\r\n")]
    public async Task Exception_that_quotes_the_token_does_not_bring_it_into_a_message(string answer)
    {
        foreach (var token in Tokens.Select(static row => row.Data))
        {
            _server.Put("token", token);
            _server.Answer = Encoding.UTF8.GetBytes(string.Format(CultureInfo.InvariantCulture, answer, token));
            var refusal = await Refusal();
            Assert.EndsWith("does not speak HTTP", refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("73-65-73-61-6D-65", refusal.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Certificate_of_another_authority_is_refused()
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        _server.Trust(_server.Certificates.Authority("CN=test cluster"));
        await RefusesCertificate("PartialChain");
        // Nor of one that calls itself as ours, key and all.
        _server.Trust(_server.Certificates.Authority("", like: _server.Authority));
        await RefusesCertificate("NotSignatureValid");
    }

    /// <summary>The token was never sent.</summary>
    private async Task RefusesCertificate(string why)
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        var refusal = await Refusal();
        Assert.Contains("has no certificate of the authority in", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
        Assert.False(refusal.IsFinal);
        Assert.Equal("", _server.Asked);
    }

    [Fact]
    public async Task Certificate_for_another_address_is_refused()
    {
        _server.Show(_server.Certificates.Server(_server.Authority, ["10.96.0.1", "kubernetes.default.svc"]));
        await RefusesCertificate("NameMismatch");
    }

    [Theory]
    [InlineData(-3, -1)]
    [InlineData(1, 2)]
    public async Task Certificate_of_another_time_is_refused(int fromDay, int untilDay)
    {
        _server.Show(_server.Certificates.Server(_server.Authority, fromDay: fromDay, untilDay: untilDay));
        await RefusesCertificate("NotTimeValid");
        var root = _server.Certificates.Authority("CN=of another time", fromDay: fromDay, untilDay: untilDay);
        _server.Trust(root);
        _server.Show(_server.Certificates.Server(root));
        await RefusesCertificate("NotTimeValid");
    }

    [Fact]
    public async Task Certificate_of_a_client_is_refused()
    {
        _server.Show(_server.Certificates.Server(_server.Authority, usage: Certificates.ForClients));
        await RefusesCertificate("NotValidForUsage");
    }

    /// <summary>As while a cluster changes its authority; both have one name.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_authority_of_two_is_enough(bool isFirst)
    {
        var other = _server.Certificates.Authority("CN=test cluster");
        _server.Trust(isFirst ? [_server.Authority, other] : [other, _server.Authority]);
        await TakesCertificate();
        _server.Show(_server.Certificates.Server(other));
        await TakesCertificate();
    }

    private async Task TakesCertificate()
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        Assert.Empty(await List());
    }

    /// <summary>The bundle holds an authority below a root, and not the root.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Authority_below_a_root_is_one(bool isSent)
    {
        var below = _server.Certificates.Authority("CN=below", _server.Authority);
        _server.Trust(below);
        _server.Show(_server.Certificates.Server(below), isSent ? [below, _server.Authority] : []);
        await TakesCertificate();
        // With a third one between it and the server's certificate, which the server sends.
        var lowest = _server.Certificates.Authority("CN=lowest", below);
        _server.Show(_server.Certificates.Server(lowest), lowest);
        await TakesCertificate();
        // The root alone is enough too, if the server sends what is between.
        _server.Trust(_server.Authority);
        _server.Show(_server.Certificates.Server(below), below);
        await TakesCertificate();
    }

    [Fact]
    public async Task Authority_below_a_root_vouches_for_its_own_alone()
    {
        var (below, beside) = (_server.Certificates.Authority("CN=below", _server.Authority), _server.Certificates.Authority("CN=beside", _server.Authority));
        _server.Trust(below);
        // Of the root itself, of another one below it, of one that claims to be it, of one that claims to be signed by it.
        _server.Show(_server.Certificates.Server(_server.Authority), _server.Authority);
        await RefusesCertificate("PartialChain");
        _server.Show(_server.Certificates.Server(beside), beside, _server.Authority);
        await RefusesCertificate("PartialChain");
        _server.Show(_server.Certificates.Server(_server.Certificates.Authority("", _server.Authority, like: below)));
        await RefusesCertificate("NotSignatureValid");
        var claims = _server.Certificates.Authority("CN=claims", _server.Certificates.Authority("", like: below));
        _server.Show(_server.Certificates.Server(claims), claims);
        await RefusesCertificate("NotSignatureValid");
    }

    [Fact]
    public async Task Below_an_authority_that_is_no_root_all_else_is_checked_too()
    {
        var below = _server.Certificates.Authority("CN=below", _server.Authority);
        _server.Trust(below);
        _server.Show(_server.Certificates.Server(below, ["10.96.0.1"]));
        await RefusesCertificate("NameMismatch");
        _server.Show(_server.Certificates.Server(below, fromDay: -3, untilDay: -1));
        await RefusesCertificate("NotTimeValid");
        _server.Show(_server.Certificates.Server(below, usage: Certificates.ForClients));
        await RefusesCertificate("NotValidForUsage");
        var old = _server.Certificates.Authority("CN=old", _server.Authority, untilDay: -1);
        _server.Trust(old);
        _server.Show(_server.Certificates.Server(old));
        await RefusesCertificate("NotTimeValid");
        var notYet = _server.Certificates.Authority("CN=not yet", _server.Authority, fromDay: 1);
        _server.Trust(notYet);
        _server.Show(_server.Certificates.Server(notYet));
        await RefusesCertificate("NotTimeValid");
        // A server's certificate in the bundle makes its server no authority.
        var server = _server.Certificates.Server(_server.Authority);
        _server.Trust(server);
        _server.Show(_server.Certificates.Server(server), server);
        await RefusesCertificate("Invalid");
    }

    [Fact]
    public async Task Answer_without_end_is_not_taken()
    {
        var pods = PodJson.List();
        _server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Limits.PodListBytes + 1L}\r\n\r\n{pods}");
        await RefusesAsTooLong(isFinal: true);
        // Nor when it does not say how long it is.
        _server.Answer = [.. "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8, .. Encoding.UTF8.GetBytes(pods), .. new byte[Limits.PodListBytes]];
        await RefusesAsTooLong(isFinal: true);
        // What is no list may be shorter the next time.
        _server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 502 Any\r\nContent-Length: {Limits.PodListBytes + 1L}\r\n\r\n");
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
        _server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {whole.Length}\r\n\r\n{whole[..^20]}");
        Assert.Contains("cut off", (await Refusal()).Message, StringComparison.Ordinal);
        _server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{whole[..^20]}");
        Assert.Contains("cut off", (await Refusal()).Message, StringComparison.Ordinal);
        _server.Answer = "HTTP/1.1 2"u8.ToArray();
        Assert.Contains("cannot be asked", (await Refusal()).Message, StringComparison.Ordinal);
        _server.Answer = [];
        Assert.Contains("cannot be asked", (await Refusal()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_that_is_no_list_is_not_taken()
    {
        _server.Answer = ApiServer.Of(200, "it works!");
        Assert.Contains("no list of pods", (await Refusal()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_says_nothing_is_waited_for_no_longer_than_the_limit()
    {
        _server.Answer = null;
        Assert.Contains("did not answer within 0.3 s", (await Refusal(TimeSpan.FromSeconds(0.3))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_there_is_said()
    {
        var account = _server.Account with { Api = new Uri("https://127.0.0.1:1") };
        var refusal = await Assert.ThrowsAsync<PodsUnknownException>(() => new KubernetesApi(account, TimeSpan.FromSeconds(30)).ListAsync(Selector, TestContext.Current.CancellationToken));
        Assert.Contains("127.0.0.1:1 cannot be asked", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token", "")]
    [InlineData("token", "sesame\r\nHost: elsewhere")]
    [InlineData("token", "sesame\u00e9")]
    [InlineData("ca.crt", "")]
    [InlineData("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("namespace", "../../secrets")]
    [InlineData("namespace", "")]
    public async Task File_of_the_account_that_is_wrong_is_named_and_not_shown(string file, string text)
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        _server.Put(file, text);
        Assert.Contains(Path.Combine(_server.Folder, file), (await Refusal()).Message, StringComparison.Ordinal);
        Assert.Equal("", _server.Asked);
    }

    [Fact]
    public async Task File_of_the_account_that_is_missing_or_too_long_is_named()
    {
        File.Delete(Path.Combine(_server.Folder, "namespace"));
        Assert.Contains("namespace cannot be read", (await Refusal()).Message, StringComparison.Ordinal);
        _server.Put("namespace", new string('a', Limits.ServiceAccountFileBytes + 1));
        Assert.Contains($"namespace has more than {Limits.ServiceAccountFileBytes} bytes", (await Refusal()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null, "this process is in none")]
    [InlineData("10.0.0.1", null, "this process is in none")]
    [InlineData("", "443", "this process is in none")]
    [InlineData("a b", "443", "are no address")]
    [InlineData("user@10.0.0.1", "443", "are no address")]
    [InlineData("10.0.0.1", "443/x", "are no address")]
    [InlineData("10.0.0.1", "443", "automountServiceAccountToken")]
    public void Process_that_is_in_no_pod_hears_it(string? host, string? port, string says)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => ServiceAccount.OfThisPod(name => name == "KUBERNETES_SERVICE_HOST" ? host : port, Path.Combine(_server.Folder, "nowhere")));
        Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void Address_of_the_sixth_version_is_one() =>
        Assert.Equal("https://[fd00::1]:6443/", ServiceAccount.OfThisPod(static name => name == "KUBERNETES_SERVICE_HOST" ? "fd00::1" : "6443", _server.Folder).Api.ToString());
}
