using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Workers.Data.Images;

/// <summary>
/// What this machine's libjpeg-turbo makes of a fixed picture: encoded with its colours at half the size, decoded at every
/// size that training decodes at. Versions that round otherwise give other weights, so workers must agree in it.
/// </summary>
internal static class DecodingFingerprint
{
    private const int Width = 83, Height = 61, Quality = 90;
    private static readonly Lazy<string> Computed = new(Compute);

    /// <summary>SHA-256, lower-case hex. Computed once, in a millisecond.</summary>
    /// <exception cref="UserMistakeException">The native half, or a library that it needs, is missing.</exception>
    public static string Value => Computed.Value;

    private static unsafe string Compute()
    {
        byte[] encoded = [];
        var length = 0;
        fixed (byte* picture = Picture()) length = NativeEncoder.Encode(picture, Width, Height, Width * 4, Quality, ref encoded);
        using var decoder = new ImageDecoder();
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> rows = new byte[(Width + 64) * Height * 4];
        fixed (byte* data = encoded, target = rows)
        {
            foreach (var divisor in (int[])[1, 2, 4, 8])
            {
                decoder.Open(data, length);
                var region = new PixelBox(0, 0, (Width + divisor - 1) / divisor, (Height + divisor - 1) / divisor);
                var decoded = decoder.Start(divisor, region);
                decoder.Read(target, decoded.Width * 4, region.Height);
                decoder.Finish();
                for (var i = 0; i < region.Height * decoded.Width; i++) sha.AppendData(rows.Slice(4 * i, 3));     // the fourth byte means nothing
            }
        }
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    /// <summary>Slopes with noise on them: every coefficient of a block is in use.</summary>
    private static byte[] Picture()
    {
        var random = new PhiloxStream(0, RandomPurpose.SyntheticSample, 0, 0);
        var picture = new byte[Width * Height * 4];
        for (var i = 0; i < picture.Length; i++)
        {
            var (x, y, channel) = (i / 4 % Width, i / 4 / Width, i % 4);
            picture[i] = (byte)Math.Clamp((x * (3 - channel) + y * (1 + channel)) / 2 + random.NextInt32(64) - 16, 0, 255);
        }
        return picture;
    }
}
