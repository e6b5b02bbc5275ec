using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Membership.Kubernetes;

/// <summary>What Kubernetes gives a pod to speak with its API: where it is, whose certificate it has, who we are there.</summary>
/// <param name="Api"><c>https://HOST:PORT</c>.</param>
/// <param name="Folder">Holds <c>token</c>, <c>ca.crt</c> and <c>namespace</c>. The first two are read for every request: they are replaced while we run.</param>
public sealed record ServiceAccount(Uri Api, string Folder)
{
    public const string MountedAt = "/var/run/secrets/kubernetes.io/serviceaccount";

    private const string HostVariable = "KUBERNETES_SERVICE_HOST", PortVariable = "KUBERNETES_SERVICE_PORT";

    /// <exception cref="UserMistakeException">This process is in no pod, or in one without a service account.</exception>
    public static ServiceAccount OfThisPod(Func<string, string?> environment, string folder = MountedAt)
    {
        if (environment(HostVariable) is not { Length: > 0 } host || environment(PortVariable) is not { Length: > 0 } port)
            throw new UserMistakeException($"{PodSelector.Prefix} among the seeds asks the API server of a Kubernetes cluster, and this process is in none: {HostVariable} and {PortVariable} are not set; outside give --seeds HOST:PORT,…");
        var isIPv6 = host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[');
        if (!Uri.TryCreate($"https://{(isIPv6 ? $"[{host}]" : host)}:{port}", UriKind.Absolute, out var api) || api.PathAndQuery != "/" || api.UserInfo.Length > 0)
            throw new UserMistakeException($"{HostVariable} and {PortVariable} ('{host}', '{port}') are no address of an API server");
        if (!File.Exists(Path.Combine(folder, "token")))
            throw new UserMistakeException($"this pod has no service account to ask the API server with ({folder}/token is missing): set automountServiceAccountToken: true and a serviceAccountName, as ops/kubernetes/overlays/akka does");
        return new ServiceAccount(api, folder);
    }

    /// <exception cref="PodsUnknownException">There is none, or none that can be sent.</exception>
    public string ReadToken()
    {
        var token = Read("token").Trim();
        // A line break would end the header; what is wrong is said without the token.
        return token.Length > 0 && token.All(static c => c is > ' ' and <= '~') ? token : throw new PodsUnknownException($"{PathOf("token")} holds no token");
    }

    /// <exception cref="PodsUnknownException">There is none.</exception>
    public string ReadNamespace()
    {
        var name = Read("namespace").Trim();
        return PodNames.IsLabel(name) ? name : throw new PodsUnknownException($"{PathOf("namespace")} names no namespace");
    }

    /// <exception cref="PodsUnknownException">There are none.</exception>
    public X509Certificate2Collection ReadAuthorities()
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(Read("ca.crt"));
        }
        catch (CryptographicException e)
        {
            throw new PodsUnknownException($"{PathOf("ca.crt")} holds no certificate that can be read", e);
        }
        return found.Count > 0 ? found : throw new PodsUnknownException($"{PathOf("ca.crt")} holds no certificate");
    }

    private string PathOf(string name) => Path.Combine(Folder, name);

    private string Read(string name)
    {
        try
        {
            using var file = File.OpenRead(PathOf(name));
            var bytes = new byte[Limits.ServiceAccountFileBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length < bytes.Length ? Encoding.UTF8.GetString(bytes, 0, length) : throw new PodsUnknownException($"{PathOf(name)} has more than {Limits.ServiceAccountFileBytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PodsUnknownException($"{PathOf(name)} cannot be read: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
