using System.Globalization;
using System.Text;
using Cluster.Contracts;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>The files that a pod gets of its service account, and the token in them, which nobody sees.</summary>
public sealed class ServiceAccountSpecs : ApiClientSpecs
{
    /// <summary>As long as real ones are, four times what is shown of a text.</summary>
    private static readonly string LongToken = $"eyJ.sesame-{new string('x', 1_180)}-sesame.c2ln";

    public static TheoryData<string> Tokens => [ApiServer.Token, LongToken];

    [Theory]
    [MemberData(nameof(Tokens))]
    public async Task Server_that_says_the_token_back_does_not_bring_it_into_a_message(string token)
    {
        Server.Put("token", token);
        foreach (var status in (int[])[400, 401, 404, 500])
        {
            Server.Answer = ApiServer.Of(status, $$"""{"message":"what is {{token}} ?"}""");
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
            Server.Put("token", token);
            Server.Answer = Encoding.UTF8.GetBytes(string.Format(CultureInfo.InvariantCulture, answer, token));
            var refusal = await Refusal();
            Assert.EndsWith("does not speak HTTP", refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("73-65-73-61-6D-65", refusal.ToString(), StringComparison.Ordinal);
        }
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
        Server.Answer = ApiServer.Of(200, PodJson.List());
        Server.Put(file, text);
        Assert.Contains(Path.Combine(Server.Folder, file), (await Refusal()).Message, StringComparison.Ordinal);
        Assert.Equal("", Server.Asked);
    }

    [Fact]
    public async Task File_of_the_account_that_is_missing_or_too_long_is_named()
    {
        File.Delete(Path.Combine(Server.Folder, "namespace"));
        Assert.Contains("namespace cannot be read", (await Refusal()).Message, StringComparison.Ordinal);
        Server.Put("namespace", new string('a', Limits.ServiceAccountFileBytes + 1));
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
        var mistake = Assert.Throws<UserMistakeException>(() => ServiceAccount.OfThisPod(name => name == "KUBERNETES_SERVICE_HOST" ? host : port, Path.Combine(Server.Folder, "nowhere")));
        Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void Address_of_the_sixth_version_is_one() =>
        Assert.Equal("https://[fd00::1]:6443/", ServiceAccount.OfThisPod(static name => name == "KUBERNETES_SERVICE_HOST" ? "fd00::1" : "6443", Server.Folder).Api.ToString());
}
