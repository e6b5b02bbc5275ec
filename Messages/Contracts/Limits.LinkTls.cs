namespace Cluster.Contracts;

public static partial class Limits
{
    /// <summary>Bytes of a PEM file of certificates or of a key: an RSA key of 4096 bits has 3.3 KB, a chain of ten certificates 20.</summary>
    public const int TlsFileBytes = 64 * 1024;

    /// <summary>Encrypted bytes that somebody unproven may send: a ClientHello of 2 KB, a chain of certificates as in <see cref="TlsFileBytes"/> but binary, and <see cref="LinkHelloBytes"/>.</summary>
    public const int LinkTlsHandshakeBytes = 64 * 1024;
}
