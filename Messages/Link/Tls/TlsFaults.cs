using System.Text;

namespace Cluster.Link;

/// <summary>Sentences for TLS handshakes that broke. OpenSSL says what happened in the text of its errors alone.</summary>
internal static class TlsFaults
{
    /// <summary>First bytes of a TLS record: a handshake message, an alert.</summary>
    public const byte HandshakeRecord = 0x16, AlertRecord = 0x15;

    private static readonly (string Text, string Sentence)[] Known =
    [
        ("alert unknown ca", "it does not know the authority that signed this node's certificate: give all nodes certificates of one authority"),
        ("alert certificate expired", "this node's certificate has expired: make a new one"),
        ("alert certificate required", "it wants a certificate, and this node showed none"),
        ("alert certificate unknown", "it does not accept this node's certificate"),
        ("alert bad certificate", "it does not accept this node's certificate"),
        ("alert unsupported certificate", "it cannot use this node's certificate"),
        ("alert handshake failure", "both sides have no way to encrypt in common"),
        ("alert protocol version", "it does not speak TLS 1.3"),
        ("unsupported protocol", "it does not speak TLS 1.3"),
        ("version too low", "it does not speak TLS 1.3"),
        ("wrong version number", "it does not speak TLS 1.3"),
        ("no shared cipher", "both sides have no way to encrypt in common"),
    ];

    /// <summary>True if these bytes begin a frame of ours, as far as they go: a peer without TLS.</summary>
    public static bool ArePlain(ReadOnlySpan<byte> bytes) => bytes.Length > 0 && bytes[0] == (byte)'C';

    /// <summary>True if these bytes begin a TLS handshake.</summary>
    public static bool AreTls(ReadOnlySpan<byte> bytes) => bytes.Length > 1 && bytes[0] is HandshakeRecord or AlertRecord && bytes[1] == 3;

    /// <summary>What the peer did, by the exception of the handshake.</summary>
    /// <returns>The end of a sentence about the peer; and whether it is about certificates or versions rather than noise.</returns>
    public static (string Sentence, bool IsKnown) Of(Exception exception)
    {
        var text = new StringBuilder();
        for (var e = exception; e is not null; e = e.InnerException) text.Append(e.Message).Append("; ");
        var all = text.ToString().ReplaceLineEndings(" ");
        foreach (var (known, sentence) in Known)
        {
            if (all.Contains(known, StringComparison.OrdinalIgnoreCase)) return (sentence, true);
        }
        return ($"the TLS handshake failed ({all[..Math.Min(all.Length, 300)].TrimEnd(' ', ';')})", false);
    }
}
