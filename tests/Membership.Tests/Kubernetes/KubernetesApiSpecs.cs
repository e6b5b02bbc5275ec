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
    public async Task Token_is_read_anew_for_every_request()
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        var api = new KubernetesApi(_server.Account, TimeSpan.FromSeconds(30));
        await api.ListAsync(Selector, TestContext.Current.CancellationToken);
        _server.Put("token", "another-one");
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
    [InlineData(301, false, "answers 301")]
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
    public async Task Server_that_says_the_token_back_does_not_bring_it_into_a_message()
    {
        _server.Answer = ApiServer.Of(400, $$"""{"message":"what is {{ApiServer.Token}} ?"}""");
        Assert.Contains("what is … ?", (await Refusal()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificate_of_another_authority_is_refused()
    {
        _server.Answer = ApiServer.Of(200, PodJson.List());
        using var other = ApiServer.MadeAuthority("CN=test cluster");
        _server.Put("ca.crt", other.ExportCertificatePem());
        Assert.Contains("has no certificate of the authority in", (await Refusal()).Message, StringComparison.Ordinal);
        // The token was never sent.
        Assert.Equal("", _server.Asked);
    }

    [Fact]
    public async Task Certificate_for_another_address_is_refused()
    {
        using var elsewhere = new ApiServer("10.96.0.1", "kubernetes.default.svc") { Answer = ApiServer.Of(200, PodJson.List()) };
        Assert.Contains("has no certificate of the authority in", (await Refusal(server: elsewhere)).Message, StringComparison.Ordinal);
        Assert.Equal("", elsewhere.Asked);
    }

    [Fact]
    public async Task Answer_without_end_is_not_taken()
    {
        var pods = PodJson.List();
        _server.Answer = Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Limits.PodListBytes + 1L}\r\n\r\n{pods}");
        Assert.Contains($"more than {Limits.PodListBytes} bytes", (await Refusal()).Message, StringComparison.Ordinal);
        // Nor when it does not say how long it is.
        _server.Answer = [.. "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8, .. Encoding.UTF8.GetBytes(pods), .. new byte[Limits.PodListBytes]];
        Assert.Contains($"more than {Limits.PodListBytes} bytes", (await Refusal()).Message, StringComparison.Ordinal);
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
