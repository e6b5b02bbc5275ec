using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>What is wrong with a node's own files is said when it starts, in one line that names the file.</summary>
public sealed class TlsFilesSpecs : IDisposable
{
    private readonly Pki _pki = new();

    public void Dispose() => _pki.Dispose();

    private static string Mistake(TlsFiles files, TimeProvider? time = null)
    {
        var e = Assert.Throws<UserMistakeException>(() => LinkTls.Load(files, time ?? TimeProvider.System));
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    [Fact]
    public void Files_of_a_role_lie_in_one_folder()
    {
        var files = TlsFiles.In("/pki", "ps");
        Assert.Equal(("/pki/ca.pem", "/pki/ps.pem", "/pki/ps.key"), (files.Authority, files.Certificate, files.Key));
    }

    [Fact]
    public void Good_files_are_loaded_and_their_roles_read()
    {
        var tls = _pki.Load(_pki.Make(new Subject("ps", "worker") { Hosts = ["shards.example"] }));
        Assert.Equal("ps", tls.Role);
        Assert.Equal(["ps", "worker"], tls.Roles);
    }

    [Theory]
    [InlineData("ca.pem")]
    [InlineData("worker.pem")]
    [InlineData("worker.key")]
    public void Missing_file_is_named(string name)
    {
        var files = _pki.Make(new Subject("worker"), "worker");
        File.Delete(_pki.In(name));
        Assert.StartsWith($"{_pki.In(name)} does not exist", Mistake(files));
    }

    [Theory]
    [InlineData("ca.pem", "holds no certificate in PEM")]
    [InlineData("worker.pem", "holds no certificate in PEM")]
    [InlineData("worker.key", "holds no private key in PEM")]
    public void File_without_pem_is_named(string name, string sentence)
    {
        var files = _pki.Make(new Subject("worker"), "worker");
        File.WriteAllText(_pki.In(name), "nothing of the kind");
        Assert.Contains($"{_pki.In(name)} {sentence}", Mistake(files));
    }

    [Fact]
    public void Damaged_pem_is_named()
    {
        var files = _pki.Make(new Subject("worker"), "worker");
        var lines = File.ReadAllLines(files.Certificate);
        File.WriteAllLines(files.Certificate, [lines[0], new string('A', 64), .. lines[2..]]);
        Assert.Contains($"{files.Certificate} cannot be read as a certificate", Mistake(files));
    }

    [Fact]
    public void Huge_file_is_not_read()
    {
        var files = _pki.Make(new Subject("worker"), "worker");
        File.WriteAllText(files.Certificate, new string('x', Limits.TlsFileBytes + 1));
        Assert.Contains("at most 65536 are read", Mistake(files));
    }

    [Fact]
    public void Key_of_another_certificate_does_not_fit()
    {
        var files = _pki.Make(new Subject("worker"), "worker") with { Key = _pki.Make(new Subject("worker"), "other").Key };
        Assert.Contains("does not fit the certificate", Mistake(files));
    }

    [Fact]
    public void Encrypted_key_is_refused()
    {
        var files = _pki.Make(new Subject("worker"), "worker");
        File.WriteAllText(files.Key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        Assert.Contains("is encrypted with a password", Mistake(files));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void Key_that_others_can_read_is_refused(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("files have no Unix rights here");
            return;
        }
        var files = _pki.Make(new Subject("worker"), "worker");
        File.SetUnixFileMode(files.Key, UnixFileMode.UserRead | mode);
        Assert.Contains($"run chmod 600 {files.Key}", Mistake(files));
        File.SetUnixFileMode(files.Key, UnixFileMode.UserRead);
        _pki.Load(files);
    }

    [Fact]
    public void Rights_are_those_of_the_file_behind_a_link()
    {
        var files = _pki.Make(new Subject("worker"), "worker");
        var link = _pki.In("link.key");
        File.CreateSymbolicLink(link, files.Key);
        _pki.Load(files with { Key = link });
        if (OperatingSystem.IsWindows()) return;
        File.SetUnixFileMode(files.Key, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("can be read by others", Mistake(files with { Key = link }));
    }

    [Fact]
    public void Expired_and_not_yet_valid_certificates_are_refused_with_the_day()
    {
        var files = _pki.Make(new Subject("worker") { From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), To = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero) });
        Assert.Contains($"{files.Certificate} expired on 2026-02-01 00:00 UTC", Mistake(files, new StoppedTime(new(2026, 2, 1, 0, 0, 1, TimeSpan.Zero))));
        Assert.Contains($"{files.Certificate} is not valid before 2026-01-01 00:00 UTC", Mistake(files, new StoppedTime(new(2025, 12, 31, 23, 59, 59, TimeSpan.Zero))));
        _pki.Load(files, new StoppedTime(new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero)));
    }

    [Fact]
    public void Expired_authority_is_refused()
    {
        var files = _pki.Make(new Subject("worker") { To = DateTimeOffset.UtcNow.AddYears(5) });
        Assert.Contains("authority that has expired", Mistake(files, new StoppedTime(DateTimeOffset.UtcNow.AddYears(4))));
    }

    [Theory]
    [InlineData("test authority")]   // the same name, another key
    [InlineData("somebody else")]
    public void Certificate_of_another_authority_is_refused(string name)
    {
        using var other = new Pki(name);
        var files = other.Make(new Subject("worker")) with { Authority = _pki.In("ca.pem") };
        Assert.Contains("is not signed by the cluster's authority", Mistake(files));
    }

    [Fact]
    public void Self_signed_certificate_is_refused()
    {
        var files = _pki.MakeSelfSigned(new Subject("worker")) with { Authority = _pki.In("ca.pem") };
        Assert.Contains("is self-signed", Mistake(files));
    }

    [Fact]
    public void Certificate_without_a_known_role_is_refused()
    {
        Assert.Contains("names no role", Mistake(_pki.Make(new Subject() { Hosts = ["a.example"] })));
        Assert.Contains("names no role", Mistake(_pki.Make(new Subject("captain"))));
        Assert.Contains("names no role", Mistake(_pki.Make(new Subject() { Addresses = [] })));
    }

    [Fact]
    public void Certificate_for_neither_end_is_refused_and_one_end_is_not_the_other()
    {
        Assert.Contains("is for neither end", Mistake(_pki.Make(new Subject("worker") { Usages = [] })));
        Assert.Contains("is for neither end", Mistake(_pki.Make(new Subject("worker") { Usages = ["1.3.6.1.5.5.7.3.3"] })));
        var client = _pki.Load(new Subject("worker") { Usages = [CertificateRules.ClientUsage] });
        var e = Assert.Throws<UserMistakeException>(() => Links.Listen(LinkAddress.Parse("127.0.0.1:0"), Peers.Acceptor(_ => LinkVerdict.Refuse("nobody")) with { Tls = client }));
        Assert.Contains("may not accept connections: its extended key usage needs serverAuth", e.Message);
        var server = _pki.Load(new Subject("worker") { Usages = [CertificateRules.ServerUsage] });
        using var near = new Recorder();
        e = Assert.Throws<UserMistakeException>(() => Links.Connect(LinkAddress.Parse("127.0.0.1:1"), Peers.Dialler("worker-1") with { Tls = server }, near));
        Assert.Contains("may not dial connections: its extended key usage needs clientAuth", e.Message);
    }

    [Fact]
    public void Reload_takes_good_files_and_keeps_the_old_ones_for_bad()
    {
        var files = _pki.Make(new Subject("worker"), "worker");
        var tls = _pki.Load(files);
        _pki.Make(new Subject("worker", "ps"), "worker");
        Assert.Equal(["worker"], tls.Roles);
        Assert.Null(tls.Reload());
        Assert.Equal(["worker", "ps"], tls.Roles);

        File.WriteAllText(files.Certificate, "cut off in the middle of a copy");
        Assert.Contains($"{files.Certificate} holds no certificate", tls.Reload());
        Assert.Contains("stays in use", tls.Reload());
        _pki.Make(new Subject("supervisor"), "worker");
        Assert.Contains("does not name the role worker", tls.Reload());
        Assert.Equal(["worker", "ps"], tls.Roles);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite, false, true)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead, false, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead, true, true)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, true, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, true, false)]
    public void Key_of_root_may_be_read_by_its_group_and_any_other_by_its_owner_alone(UnixFileMode mode, bool isRoots, bool isGood) =>
        Assert.Equal(isGood, KeyRights.Fault(mode, isRoots) is null);
}
