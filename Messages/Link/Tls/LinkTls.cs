using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>
/// Mutual TLS 1.3 for links over TCP: this node's certificate and key, and the only authorities that it trusts. One for all
/// listeners and diallers of a process; its owner disposes it after them. All members are thread-safe.
/// </summary>
public sealed class LinkTls : IDisposable
{
    private readonly TlsFiles _files;
    private readonly object _reloading = new();
    private TlsIdentity _identity;

    private LinkTls(TlsFiles files, TimeProvider time, TlsIdentity identity) => (_files, Time, _identity) = (files, time, identity);

    /// <summary>Reads the files and checks them as a peer would.</summary>
    /// <param name="files">The three files.</param>
    /// <param name="time">Decides who has expired, now and at every handshake.</param>
    /// <exception cref="UserMistakeException">
    /// One line: a file is missing or holds no PEM, the key does not fit or others may read it, the certificate has expired, is not valid
    /// yet, is not signed by the authority, names no role, or is for neither end of a connection.
    /// </exception>
    public static LinkTls Load(TlsFiles files, TimeProvider time) => new(files, time, TlsIdentity.Load(files, time.GetUtcNow()));

    /// <summary>The role that this node's certificate names; the first, if it names several.</summary>
    public string Role => Roles[0];

    /// <summary>All roles that this node's certificate names.</summary>
    public ImmutableArray<string> Roles => Identity.Roles;

    internal TimeProvider Time { get; }

    /// <summary>What new connections use. It stays usable after a reload for those that have begun with it.</summary>
    internal TlsIdentity Identity => Volatile.Read(ref _identity);

    /// <summary>Reads the files anew. New connections use what they hold, open links stay as they are.</summary>
    /// <returns>Null: taken. Else what is wrong with the new files; the old ones stay in use.</returns>
    public string? Reload()
    {
        lock (_reloading)
        {
            TlsIdentity loaded;
            try
            {
                loaded = TlsIdentity.Load(_files, Time.GetUtcNow());
            }
            catch (UserMistakeException e)
            {
                return $"{e.Message}; the certificate that was loaded before stays in use";
            }
            if (Roles.FirstOrDefault(r => !loaded.Roles.Contains(r)) is { } missing)
            {
                loaded.Dispose();
                return $"the new certificate {_files.Certificate} does not name the role {missing}, which this node has; the certificate that was loaded before stays in use";
            }
            // The old one is left to the finalizer: handshakes that began with it go on.
            Volatile.Write(ref _identity, loaded);
            return null;
        }
    }

    /// <summary>For whoever is about to accept or to dial.</summary>
    /// <exception cref="UserMistakeException">This node's certificate is not for that.</exception>
    internal void Demand(string usage)
    {
        if (!Identity.Allows(usage))
            throw new UserMistakeException($"the certificate {_files.Certificate} may not {(usage == CertificateRules.ServerUsage ? "accept" : "dial")} connections: its extended key usage needs {CertificateRules.NameOf(usage)}");
    }

    public void Dispose() => Identity.Dispose();
}
