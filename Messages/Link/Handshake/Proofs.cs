using System.Security.Cryptography;

namespace Cluster.Link;

/// <summary>
/// Both sides prove that they know the join secret without sending it: HMAC-SHA256 over everything said so far, with a label per
/// direction so that no proof can be turned round. Each covers the other side's fresh nonce. A listener on the way can try secrets
/// offline against a proof, so a secret must have the entropy of a key, not of a password.
/// </summary>
internal static class Proofs
{
    public static byte[] OfDialler(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> challenge) =>
        Sum(secret, "cluster link dialler"u8, hello, challenge, []);

    public static byte[] OfAcceptor(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> welcome) =>
        Sum(secret, "cluster link acceptor"u8, hello, challenge, welcome);

    /// <summary>In constant time.</summary>
    public static bool Equal(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => CryptographicOperations.FixedTimeEquals(left, right);

    private static byte[] Sum(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> welcome)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        Span<byte> length = stackalloc byte[4];
        hmac.AppendData(label);
        Append(hmac, hello, length);
        Append(hmac, challenge, length);
        Append(hmac, welcome, length);
        return hmac.GetHashAndReset();
    }

    // Each part with its length: two different conversations never give the same bytes.
    private static void Append(IncrementalHash hmac, ReadOnlySpan<byte> part, Span<byte> length)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
        hmac.AppendData(length);
        hmac.AppendData(part);
    }
}
