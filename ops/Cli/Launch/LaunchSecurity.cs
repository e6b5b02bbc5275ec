using System.Security.Cryptography;
using Cluster.Cli.Nodes;
using Cluster.Link;

namespace Cluster.Cli.Launch;

/// <summary>What protects the processes of a launched run from others.</summary>
/// <param name="TlsFolder">Absolute; null = Unix sockets that this user alone can open.</param>
/// <param name="Insecure">The page may be shown unencrypted to other machines.</param>
/// <param name="Secret">The join secret. Handed on in the environment, never as an argument.</param>
internal sealed record LaunchSecurity(string? TlsFolder, bool Insecure, string Secret)
{
    private const int SecretBytes = 32;

    /// <param name="tls">Value of <c>--tls</c>.</param>
    /// <exception cref="Contracts.UserMistakeException">A certificate that one of the processes needs is missing or not good.</exception>
    public static LaunchSecurity Of(string? tls, bool insecure)
    {
        if (tls is not null) Nodes.TlsFolder.Check(tls, [NodeOptions.Supervisor, NodeOptions.Coordinator, NodeOptions.Shards, NodeOptions.Worker]);
        // One that the user chose lets nodes join by hand.
        var given = Environment.GetEnvironmentVariable(NodeOptions.SecretVariable);
        return new(tls is null ? null : Path.GetFullPath(tls), insecure, string.IsNullOrWhiteSpace(given) ? RandomNumberGenerator.GetHexString(2 * SecretBytes) : given);
    }

    /// <summary>The supervisor's own certificate; the caller disposes it. Null without TLS.</summary>
    public LinkTls? LoadOwn() => TlsFolder is null ? null : Nodes.TlsFolder.Load(TlsFolder, NodeOptions.Supervisor);

    /// <summary>For each process.</summary>
    public IEnumerable<string> Arguments
    {
        get
        {
            if (TlsFolder is not null) return Insecure ? ["--tls", TlsFolder, "--insecure"] : ["--tls", TlsFolder];
            return Insecure ? ["--insecure"] : [];
        }
    }
}
