using System.Collections.Concurrent;
using System.Security.Authentication;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Who gets in under TLS, and who is told what: each bad certificate gets one sentence on both sides, and nothing else happens.</summary>
[Trait("Clock", "wall")]
public sealed class TlsDoorSpecs : IDisposable
{
    private readonly Pki _pki = new();
    private readonly Pki _other = new("somebody else");
    private readonly BlockingCollection<LinkRefusal> _refusals = [];
    private readonly BlockingCollection<Recorder> _far = [];

    public void Dispose()
    {
        foreach (var far in _far) far.Dispose();
        _far.Dispose();
        _pki.Dispose();
        _other.Dispose();
        _refusals.Dispose();
    }

    private ILinkListener Listen(LinkTls? tls, string address = "127.0.0.1:0", LinkOptions? options = null) => Links.Listen(
        LinkAddress.Parse(address), new LinkListenerOptions { Self = new LinkHello(Peers.Run, "coordinator", "coordinator", 1), Admit = _ => LetIn(), Refused = _refusals.Add, Tls = tls, Options = options ?? LinkOptions.Default });

    private LinkVerdict LetIn()
    {
        var far = new Recorder();
        _far.Add(far);
        return LinkVerdict.Accept(far);
    }

    private static LinkDiallerOptions Dialling(LinkTls? tls, string role = "worker", string? expected = "coordinator") =>
        new() { Self = new LinkHello("", role, $"{role}-1", 1), Tls = tls, ExpectedRole = expected };

    private LinkTls Coordinator => _pki.Load(new Subject("coordinator"));

    /// <summary>Both ends trust both authorities, except where a spec wants otherwise.</summary>
    private TlsFiles TrustingBoth(TlsFiles files)
    {
        var both = _pki.In("both.pem");
        File.WriteAllText(both, $"{_pki.AuthorityPem}\n{_other.AuthorityPem}\n");
        return files with { Authority = both };
    }

    /// <summary>Dials and is refused; what both sides were told.</summary>
    private (string Near, LinkRefusal Far) Refused(ILinkListener listener, LinkDiallerOptions options, LinkAddress? address = null)
    {
        using var near = new Recorder();
        var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(address ?? listener.Address, options, near));
        Assert.DoesNotContain('\n', e.Message);
        var refusal = DoorSpecs.Next(_refusals);
        Assert.Equal(LinkRefusalReason.Certificate, refusal.Reason);
        Assert.DoesNotContain('\n', refusal.Sentence);
        Assert.Equal(0, near.ClosedCount);
        Assert.Empty(_refusals);
        return (e.Message, refusal);
    }

    private void AssertLetsIn(ILinkListener listener, LinkDiallerOptions options, LinkAddress? address = null)
    {
        using var near = new Recorder();
        var link = Links.Connect(address ?? listener.Address, options, near);
        using var far = _far.Take();
        link.SendControl(1, [1]);
        Assert.Equal(1, far.NextControl().Type);
        link.Close(LinkEnd.Finished, "done");
        near.WaitForClosed();
        far.WaitForClosed();
    }

    [Fact]
    public void Certificates_of_one_authority_open_a_link_without_a_secret()
    {
        using var listener = Listen(Coordinator);
        AssertLetsIn(listener, Dialling(_pki.Load(new Subject("worker"))));
        Assert.Empty(_refusals);
    }

    [Fact]
    public void Certificates_in_between_come_along()
    {
        using var listener = Listen(_pki.Load(_pki.MakeBelow(new Subject("coordinator"))));
        AssertLetsIn(listener, Dialling(_pki.Load(_pki.MakeBelow(new Subject("worker")))));
        var e = Assert.Throws<UserMistakeException>(() => _pki.Load(_pki.MakeBelow(new Subject("worker"), comesAlong: false)));
        Assert.Contains("is not signed by the cluster's authority", e.Message);
    }

    [Fact]
    public void Many_diallers_at_once_get_in()
    {
        var patient = LinkOptions.Default with { HandshakeLimit = 3 * Recorder.Patience };
        using var listener = Listen(Coordinator, options: patient);
        var worker = _pki.Load(new Subject("worker"));
        var near = Enumerable.Range(0, 30).Select(_ => new Recorder()).ToArray();
        var threads = near.Select(n => new Thread(() => Links.Connect(listener.Address, Dialling(worker) with { Options = patient }, n))).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        foreach (var recorder in near)
        {
            recorder.Link.Close(LinkEnd.Dismissed, "done");
            recorder.WaitForClosed();
            recorder.Dispose();
        }
        Assert.Equal(near.Length, _far.Count);
        foreach (var far in _far) far.WaitForClosed();
    }

    [Fact]
    public void Secret_is_still_asked_for_under_tls()
    {
        using var listener = Links.Listen(LinkAddress.Parse("127.0.0.1:0"), Peers.Acceptor(_ => LetIn()) with { Tls = Pki.Shared });
        using var near = new Recorder();
        var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(listener.Address, Peers.Dialler("worker-1") with { Tls = Pki.Shared, Secret = new byte[32] }, near));
        Assert.Contains("the join secret of worker-1 differs", e.Message);
    }

    [Fact]
    public void Address_that_others_reach_needs_neither_a_word_nor_a_secret_under_tls()
    {
        using var listener = Listen(Coordinator, "0.0.0.0:0");
        AssertLetsIn(listener, Dialling(_pki.Load(new Subject("worker"))), listener.Address with { Name = "127.0.0.1" });
    }

    [Fact]
    public void Dialler_of_another_authority_is_refused()
    {
        using var listener = Listen(Coordinator);
        var (near, far) = Refused(listener, Dialling(_pki.Load(TrustingBoth(_other.Make(new Subject("worker"))))));
        Assert.Contains("the certificate of the dialler (CN=node-1) is not signed by the cluster's authority (its issuer calls itself 'CN=somebody else'", far.Sentence);
        Assert.EndsWith(far.Sentence, near);
    }

    [Fact]
    public void Acceptor_of_another_authority_is_refused()
    {
        using var listener = Listen(_pki.Load(TrustingBoth(_other.Make(new Subject("coordinator")))));
        var (near, far) = Refused(listener, Dialling(_pki.Load(new Subject("worker"))));
        Assert.StartsWith($"will not talk to {listener.Address}: the certificate of {listener.Address} (CN=node-1) is not signed by the cluster's authority", near);
        Assert.StartsWith("the dialler will not talk to coordinator: the certificate of", far.Sentence);
    }

    [Fact]
    public void Self_signed_dialler_is_refused()
    {
        using var listener = Listen(Coordinator);
        var (near, far) = Refused(listener, Dialling(_pki.Load(_pki.MakeSelfSigned(new Subject("worker")))));
        Assert.Contains("the certificate of the dialler (CN=selfmade) is self-signed", far.Sentence);
        Assert.EndsWith(far.Sentence, near);
    }

    [Fact]
    public void Self_signed_acceptor_is_refused()
    {
        using var listener = Listen(_pki.Load(_pki.MakeSelfSigned(new Subject("coordinator"))));
        var (near, far) = Refused(listener, Dialling(_pki.Load(new Subject("worker"))));
        Assert.Contains("is self-signed", near);
        Assert.Contains("is self-signed", far.Sentence);
    }

    public static TheoryData<bool, bool> Ages => new MatrixTheoryData<bool, bool>([true, false], [true, false]);

    [Theory]
    [MemberData(nameof(Ages))]
    public void Certificate_out_of_its_time_is_refused_whosever_it_is(bool isExpired, bool isDialler)
    {
        // Loaded while it was valid: its owner has not noticed that its time is over, or its clock is ahead.
        var day = TimeSpan.FromDays(isExpired ? -10 : 10);
        var subject = new Subject(isDialler ? "worker" : "coordinator") { From = DateTimeOffset.UtcNow + day - TimeSpan.FromDays(1), To = DateTimeOffset.UtcNow + day + TimeSpan.FromDays(1) };
        var odd = _pki.Load(_pki.Make(subject), new StoppedTime(DateTimeOffset.UtcNow + day));
        // A CA that is valid at all these times, so each side's own judgement is about the other's certificate alone.
        var good = _pki.Load(_pki.Make(new Subject(isDialler ? "coordinator" : "worker") { From = DateTimeOffset.UtcNow.AddDays(-30), To = DateTimeOffset.UtcNow.AddDays(30) }));
        using var listener = Listen(isDialler ? good : odd);
        var (near, far) = Refused(listener, Dialling(isDialler ? odd : good));
        Assert.Contains(isExpired ? "expired on" : "is not valid before", near);
        Assert.Contains(isExpired ? "expired on" : "is not valid before", far.Sentence);
    }

    [Fact]
    public void Certificate_of_another_host_is_refused()
    {
        using var listener = Listen(_pki.Load(new Subject("coordinator") { Addresses = [System.Net.IPAddress.Parse("192.0.2.7")], Hosts = ["head.example"] }));
        var (near, far) = Refused(listener, Dialling(_pki.Load(new Subject("worker"))));
        Assert.Contains("does not name the host 127.0.0.1 that was dialled", near);
        Assert.Contains("does not name the host 127.0.0.1 that was dialled", far.Sentence);
    }

    [Fact]
    public void Host_is_compared_as_it_was_dialled_and_the_common_name_is_no_host()
    {
        using var listener = Listen(_pki.Load(_pki.Make(new Subject("coordinator") { Addresses = [], Hosts = ["localhost"] }, "127.0.0.1")));
        var worker = _pki.Load(new Subject("worker"));
        AssertLetsIn(listener, Dialling(worker), listener.Address with { Name = "localhost" });
        Assert.Contains("does not name the host 127.0.0.1", Refused(listener, Dialling(worker)).Near);
    }

    [Fact]
    public void Dialler_without_a_certificate_is_refused()
    {
        using var listener = Listen(Coordinator);
        Assert.Equal("the dialler showed no certificate: give it --tls DIR with its own certificate", RawTls.Dial(listener.Address, null));
        Assert.Equal(LinkRefusalReason.Certificate, DoorSpecs.Next(_refusals).Reason);
    }

    [Fact]
    public async Task Usage_of_the_other_end_is_refused_on_both_sides()
    {
        using var listener = Listen(Coordinator);
        using var server = _pki.Certificate(new Subject("worker") { Usages = [CertificateRules.ServerUsage] });
        Assert.Contains("its extended key usage lacks clientAuth", RawTls.Dial(listener.Address, server));
        Assert.Equal(LinkRefusalReason.Certificate, DoorSpecs.Next(_refusals).Reason);

        using var client = _pki.Certificate(new Subject("coordinator") { Usages = [CertificateRules.ClientUsage] });
        var heard = RawTls.Serve(client, out var address);
        using var near = new Recorder();
        var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(address, Dialling(_pki.Load(new Subject("worker"))), near));
        Assert.Contains("its extended key usage lacks serverAuth", e.Message);
        Assert.True(HandshakeFrames.TryReadRefusal(await heard.WaitAsync(Recorder.Patience), out var sentence));
        Assert.Contains(sentence, e.Message);
    }

    [Fact]
    public async Task Certificate_without_a_role_is_refused()
    {
        using var listener = Listen(Coordinator);
        using var nobody = _pki.Certificate(new Subject() { Hosts = ["a.example"] });
        Assert.Contains("names no role", RawTls.Dial(listener.Address, nobody));
        Assert.Equal(LinkRefusalReason.Certificate, DoorSpecs.Next(_refusals).Reason);

        var heard = RawTls.Serve(nobody, out var address);
        using var near = new Recorder();
        Assert.Contains("names no role", Assert.Throws<LinkRefusedException>(() => Links.Connect(address, Dialling(_pki.Load(new Subject("worker"))), near)).Message);
        Assert.True(HandshakeFrames.TryReadRefusal(await heard.WaitAsync(Recorder.Patience), out _));
    }

    [Fact]
    public void Role_that_the_certificate_does_not_name_is_refused()
    {
        using var listener = Listen(Coordinator);
        var (near, far) = Refused(listener, Dialling(_pki.Load(new Subject("worker")), role: "ps"));
        Assert.Equal("ps-1 says that it is a ps, but its certificate is for worker: give it the files of its own role", far.Sentence);
        Assert.EndsWith(far.Sentence, near);
        Assert.Equal("ps-1", far.Hello!.Name);
        AssertLetsIn(listener, Dialling(_pki.Load(new Subject("worker", "ps")), role: "ps"));
    }

    [Fact]
    public void Acceptor_with_another_role_than_expected_is_refused()
    {
        using var listener = Listen(_pki.Load(new Subject("worker")));
        var (near, far) = Refused(listener, Dialling(_pki.Load(new Subject("worker"))));
        Assert.Contains("is for worker, but a coordinator was dialled", near);
        Assert.Contains("is for worker, but a coordinator was dialled", far.Sentence);
        // Not asked for a role, it may still not claim one that its certificate does not name.
        using var other = new Recorder();
        Assert.Contains("says that it is a coordinator, but its certificate is for worker", Assert.Throws<LinkRefusedException>(() => Links.Connect(listener.Address, Dialling(_pki.Load(new Subject("worker")), expected: null), other)).Message);
    }

    [Fact]
    public void Older_tls_is_refused()
    {
        using var listener = Listen(Coordinator);
        using var worker = _pki.Certificate(new Subject("worker"));
        Assert.ThrowsAny<Exception>(() => RawTls.Dial(listener.Address, worker, SslProtocols.Tls12));
        var refusal = DoorSpecs.Next(_refusals);
        Assert.Equal((LinkRefusalReason.Certificate, "no TLS with the dialler: it does not speak TLS 1.3"), (refusal.Reason, refusal.Sentence));

        using var coordinator = _pki.Certificate(new Subject("coordinator"));
        _ = RawTls.Serve(coordinator, out var address, SslProtocols.Tls12);
        using var near = new Recorder();
        var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(address, Dialling(_pki.Load(new Subject("worker"))), near));
        Assert.Equal($"no TLS with {address}: it does not speak TLS 1.3", e.Message);
    }

    [Fact]
    public void Plain_dialler_at_a_tls_door_and_tls_dialler_at_a_plain_door_are_told_on_both_sides()
    {
        using (var listener = Listen(Coordinator))
        {
            var (near, far) = Refused(listener, Dialling(null, expected: null));
            Assert.Equal("the dialler speaks no TLS, and coordinator takes nothing else: start both with --tls DIR, or none", far.Sentence);
            Assert.EndsWith(far.Sentence, near);
        }
        using (var listener = Listen(null))
        {
            var (near, far) = Refused(listener, Dialling(_pki.Load(new Subject("worker"))));
            Assert.Equal("the dialler speaks TLS, and coordinator does not: start both with --tls DIR, or none", far.Sentence);
            Assert.EndsWith(far.Sentence, near);
        }
    }

    [Fact]
    public void Unix_sockets_do_without_tls()
    {
        using var peers = Peers.Connect(LinkTransportKind.Unix, tls: Pki.Shared);
        peers.Near.Link.SendControl(5, []);
        Assert.Equal(5, peers.Far.NextControl().Type);
    }

    [Fact]
    public void Reloaded_certificate_serves_new_connections_and_open_links_stay()
    {
        var files = _pki.Make(new Subject("coordinator"), "coordinator");
        var tls = _pki.Load(files);
        using var listener = Listen(tls);
        var worker = _pki.Load(new Subject("worker"));
        using var near = new Recorder();
        var early = Links.Connect(listener.Address, Dialling(worker), near);
        using var far = _far.Take();
        // The new one names another host: whoever dials from now on sees it.
        _pki.Make(new Subject("coordinator") { Addresses = [], Hosts = ["localhost"] }, "coordinator");
        Assert.Null(tls.Reload());
        Assert.Contains("does not name the host 127.0.0.1", Refused(listener, Dialling(worker)).Near);
        AssertLetsIn(listener, Dialling(worker), listener.Address with { Name = "localhost" });
        early.SendControl(3, []);
        Assert.Equal(3, far.NextControl().Type);
        early.Close(LinkEnd.Finished, "done");
        near.WaitForClosed();
        far.WaitForClosed();
    }
}
