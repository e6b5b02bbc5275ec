using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Cli.Certs;
using Cluster.Cli.Nodes;
using Cluster.Cli.Verbs;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Tests.Certs;

/// <summary><c>cluster certs</c>: an authority that is made once, and certificates that both ends of a link take.</summary>
public sealed class CertsSpecs : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly string[] Roles = ["coordinator", "ps", "worker", "supervisor"];
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Every_role_gets_a_certificate_that_a_link_loads_and_the_authority_is_made_once()
    {
        var said = Issue("pki");
        Assert.Contains("made a CA in", said[0]);
        foreach (var role in Roles)
        {
            using var tls = TlsFolder.Load(_world.PathOf("pki"), role);
            Assert.Equal([role], tls.Roles);
        }
        var (key, authority) = (Read("pki/ca.key"), Read("pki/ca.pem"));
        var before = Read("pki/worker.key");
        said = Issue("pki");
        Assert.Contains("is kept", said[0]);
        Assert.Contains(said, line => line.StartsWith($"renewed {_world.PathOf("pki/worker.pem")}", StringComparison.Ordinal));
        Assert.Equal((key, authority), (Read("pki/ca.key"), Read("pki/ca.pem")));
        Assert.NotEqual(before, Read("pki/worker.key"));
        TlsFolder.Load(_world.PathOf("pki"), "worker").Dispose();
        Assert.Equal(10, Directory.GetFiles(_world.PathOf("pki")).Length);
    }

    [Fact]
    public void Keys_are_their_owners_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "files have no modes here");
        Issue("pki");
        Issue("pki");
        foreach (var key in Directory.GetFiles(_world.PathOf("pki"), "*.key")) Assert.Equal(Private, File.GetUnixFileMode(key));
        Assert.Equal(Private | UnixFileMode.UserExecute, File.GetUnixFileMode(_world.PathOf("pki")));
    }

    [Fact]
    public void Certificate_names_role_and_hosts_and_says_what_it_is_for()
    {
        Issue("pki", hosts: "node-a,10.0.0.7,*.cluster.local,fd00::7", days: "30");
        using var certificate = X509Certificate2.CreateFromPem(Read("pki/ps.pem"));
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["localhost", "box", "node-a", "*.cluster.local"], names.EnumerateDnsNames());
        Assert.Equal(["127.0.0.1", "::1", "10.0.0.7", "fd00::7"], names.EnumerateIPAddresses().Select(static a => a.ToString()));
        Assert.Equal(["ps"], LinkRoles.Of(certificate));
        Assert.Equal(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"], certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(static o => o.Value));
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(X509KeyUsageFlags.DigitalSignature, certificate.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        Assert.Equal("1.2.840.10045.3.1.7", certificate.GetECDsaPublicKey()!.ExportParameters(false).Curve.Oid.Value);
        Assert.InRange(certificate.NotAfter.ToUniversalTime() - Now.UtcDateTime, TimeSpan.FromDays(30) - TimeSpan.FromSeconds(2), TimeSpan.FromDays(30));
        Assert.InRange(Now.UtcDateTime - certificate.NotBefore.ToUniversalTime(), TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(6));
        using var authority = X509Certificate2.CreateFromPem(Read("pki/ca.pem"));
        Assert.True(authority.Extensions.OfType<X509BasicConstraintsExtension>().Single() is { CertificateAuthority: true, HasPathLengthConstraint: true, PathLengthConstraint: 0 });
    }

    [Fact]
    public void Renewal_keeps_the_hosts_unless_others_are_given()
    {
        Issue("pki", hosts: "node-a,10.0.0.7");
        Assert.Contains(Issue("pki"), static line => line.Contains("worker.pem", StringComparison.Ordinal) && line.Contains("10.0.0.7", StringComparison.Ordinal) && line.Contains("node-a", StringComparison.Ordinal));
        Assert.DoesNotContain(Issue("pki", hosts: "node-b"), static line => line.Contains("node-a", StringComparison.Ordinal));
    }

    [Fact]
    public void Folder_for_one_host_has_what_it_needs_and_no_key_of_the_authority()
    {
        Issue("pki");
        Issue("pki", roles: "worker", hosts: "node-c", into: "pki/node-c");
        Assert.Equal(["ca.pem", "worker.key", "worker.pem"], Directory.GetFiles(_world.PathOf("pki/node-c")).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        TlsFolder.Load(_world.PathOf("pki/node-c"), "worker").Dispose();
        Assert.Contains("coordinator.pem does not exist", Mistake(() => TlsFolder.Load(_world.PathOf("pki/node-c"), "coordinator")));
        Issue("other");
        Assert.Contains("another CA", Mistake(() => Issue("other", roles: "ps", into: "pki/node-c")));
    }

    [Fact]
    public void Certificate_holds_no_longer_than_its_authority_and_an_authority_that_is_over_issues_none()
    {
        Issue("pki", now: Now.AddYears(-10).AddDays(20));
        Issue("pki", days: "90");
        using var certificate = X509Certificate2.CreateFromPem(Read("pki/worker.pem"));
        Assert.InRange(certificate.NotAfter.ToUniversalTime() - Now.UtcDateTime, TimeSpan.FromDays(19), TimeSpan.FromDays(21));
        var before = Read("pki/worker.pem");
        Assert.Contains("has expired on", Mistake(() => Issue("pki", now: Now.AddDays(30))));
        Assert.Equal(before, Read("pki/worker.pem"));
    }

    [Fact]
    public void Half_an_authority_or_none_at_all_is_one_line()
    {
        Issue("pki");
        File.Move(_world.PathOf("pki/ca.key"), _world.PathOf("kept.key"));
        Assert.Contains("has ca.pem but not ca.key", Mistake(() => Issue("pki")));
        File.Move(_world.PathOf("pki/ca.pem"), _world.PathOf("kept.pem"));
        File.Copy(_world.PathOf("kept.key"), _world.PathOf("pki/ca.key"));
        Assert.Contains("has ca.key but not ca.pem", Mistake(() => Issue("pki")));
        File.Copy(_world.PathOf("pki/worker.pem"), _world.PathOf("pki/ca.pem"));
        Assert.Contains("no certificate and its key", Mistake(() => Issue("pki")));
        File.Copy(_world.PathOf("pki/worker.key"), _world.PathOf("pki/ca.key"), overwrite: true);
        Assert.Contains("of a node, not of an authority", Mistake(() => Issue("pki")));
        _world.Write("file", "");
        Assert.Contains("cannot be read or written", Mistake(() => Issue("file/pki")));
    }

    [Theory]
    [InlineData("the folder is missing: cluster certs DIR")]
    [InlineData("--days 0: must be a whole number of days from 1 to 825", "pki", "--days", "0")]
    [InlineData("--days soon: must be a whole number of days", "pki", "--days", "soon")]
    [InlineData("--role worker,boss: a role is one of coordinator, ps, worker, supervisor", "pki", "--role", "worker,boss")]
    [InlineData("--hosts: 'node a' is no name of a host", "pki", "--hosts", "node a")]
    [InlineData("--hosts: 'node-a:7000' is no name of a host and no address; give names as nodes dial them, without ports", "pki", "--hosts", "node-a:7000")]
    [InlineData("--hosts: '127.1' is no name", "pki", "--hosts", "127.1")]
    [InlineData("--hosts is empty", "pki", "--hosts", ",")]
    [InlineData("unknown option --host; did you mean --hosts?", "pki", "--host", "a")]
    public async Task Mistake_is_one_line_and_nothing_is_written(string expected, params string[] arguments)
    {
        arguments = [.. arguments.Select(argument => argument == "pki" ? _world.PathOf("pki") : argument)];
        var commandLine = new CommandLine(static (_, _, _, _) => throw new InvalidOperationException("nothing is trained"));
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => commandLine.RunAsync(["certs", .. arguments], CancellationToken.None));
        Assert.Contains(expected, Assert.Single(mistake.Message.Split('\n')));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }

    [Fact]
    public void Authority_from_elsewhere_with_an_RSA_key_issues_as_well()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=Somebody's CA", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(100));
        Directory.CreateDirectory(_world.PathOf("pki"));
        _world.Write("pki/ca.pem", authority.ExportCertificatePem());
        _world.Write("pki/ca.key", key.ExportPkcs8PrivateKeyPem());
        Issue("pki", roles: "ps");
        TlsFolder.Load(_world.PathOf("pki"), "ps").Dispose();
    }

    private IReadOnlyList<string> Issue(string folder, string? roles = null, string? hosts = null, string? days = null, string? into = null, DateTimeOffset? now = null)
    {
        var mistakes = new List<string>();
        var plan = CertsPlan.Parse(roles, hosts, days, mistakes);
        Assert.Empty(mistakes);
        return CertsIssue.Run(_world.PathOf(folder), _world.PathOf(into ?? folder), plan, "box", now ?? Now);
    }

    private string Read(string name) => File.ReadAllText(_world.PathOf(name));

    private static string Mistake(Action wrong) => Assert.Single(Assert.Throws<UserMistakeException>(wrong).Message.Split('\n'));
}
