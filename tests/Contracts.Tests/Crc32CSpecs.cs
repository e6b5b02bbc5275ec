namespace Cluster.Contracts.Tests;

public sealed class Crc32CSpecs
{
    [Fact]
    public unsafe void Crc_has_the_published_values_on_every_path()
    {
        // RFC 3720, appendix B.4; and the check value of the CRC catalogue.
        Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Of(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Of([.. Enumerable.Repeat((byte)0xFF, 32)]));
        var random = new Random(1);
        var bytes = new byte[20_000];
        random.NextBytes(bytes);
        fixed (byte* start = bytes)
        {
            for (var round = 0; round < 2000; round++)
            {
                var at = start + random.Next(100);
                var seed = (uint)random.NextInt64(1L << 32);
                var count = (nuint)(round < 1500 ? 256 + random.Next(2000) : random.Next(19_000));
                var plain = Crc32C.AppendPlain(seed, at, count);
                Assert.Equal(plain, Crc32C.Append(seed, at, count));
                if (System.Runtime.Intrinsics.X86.Pclmulqdq.IsSupported && count >= 64) Assert.Equal(plain, Crc32C.AppendFolded128(seed, at, count));
                if (System.Runtime.Intrinsics.X86.Pclmulqdq.V512.IsSupported && count >= 512) Assert.Equal(plain, Crc32C.AppendFolded512(seed, at, count));
                var cut = (nuint)random.Next((int)count + 1);
                Assert.Equal(plain, Crc32C.Append(Crc32C.Append(seed, at, cut), at + cut, count - cut));
            }
        }
    }
}
