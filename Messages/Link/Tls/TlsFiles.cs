namespace Cluster.Link;

/// <summary>The three PEM files of a node's identity.</summary>
/// <param name="Authority">Certificates of the authorities that this cluster trusts, and no others; usually one.</param>
/// <param name="Certificate">The node's own certificate; certificates between it and the authority may follow.</param>
/// <param name="Key">Its private key, unencrypted, readable by its owner alone.</param>
public sealed record TlsFiles(string Authority, string Certificate, string Key)
{
    /// <summary><c>ca.pem</c>, <c>ROLE.pem</c> and <c>ROLE.key</c> in one folder.</summary>
    public static TlsFiles In(string folder, string role) =>
        new(Path.Combine(folder, "ca.pem"), Path.Combine(folder, role + ".pem"), Path.Combine(folder, role + ".key"));
}
