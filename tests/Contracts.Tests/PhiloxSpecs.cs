using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class PhiloxSpecs
{
    /// <summary>The known answers that Random123 ships for philox4x32 with ten rounds (Salmon et al., 2011).</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0xa4093822u, 0x299f31d0u, 0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Block_gives_the_published_answers(uint k0, uint k1, uint c0, uint c1, uint c2, uint c3, uint a, uint b, uint c, uint d) =>
        Assert.Equal((a, b, c, d), Philox.Block(k0, k1, c0, c1, c2, c3));

    [Fact]
    public void Streams_of_different_keys_share_no_draw()
    {
        var keys =
            from seed in new ulong[] { 0, 1, 1UL << 40 }
            from purpose in Enum.GetValues<RandomPurpose>()
            from a in new ulong[] { 0, 1, 1UL << 33 }
            from b in new ulong[] { 0, 1 }
            select new PhiloxStream(seed, purpose, a, b);
        var draws = keys.Select(s => (s.NextUInt64(), s.NextUInt64())).ToArray();
        Assert.Equal(draws.Length, draws.Distinct().Count());
    }

    [Fact]
    public void Copying_a_stream_forks_it()
    {
        var stream = new PhiloxStream(4, RandomPurpose.Dropout, 2, 3);
        stream.NextUInt32();
        var fork = stream;
        Assert.Equal(Enumerable.Range(0, 9).Select(_ => stream.NextUInt32()).ToArray(), Enumerable.Range(0, 9).Select(_ => fork.NextUInt32()).ToArray());
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 16)]
    [InlineData(2, 100)]
    [InlineData(3, 18)]
    [InlineData(4, 47)]
    public void Draws_of_many_at_once_are_those_of_one_after_another(int before, int count)
    {
        var one = new PhiloxStream(9, RandomPurpose.Dropout, 1, 2);
        for (var i = 0; i < before; i++) one.NextUInt32();
        var many = one;

        var draws = new uint[count];
        many.Fill(draws);

        Assert.Equal(Enumerable.Range(0, count).Select(_ => one.NextUInt32()), draws);
        Assert.Equal(one.NextUInt32(), many.NextUInt32());
    }

    [Fact]
    public void Draws_lie_in_their_range_and_have_the_moments_of_their_distribution()
    {
        var stream = new PhiloxStream(7, RandomPurpose.Initialization, 0);
        const int Count = 20_000;
        double sum = 0, squares = 0, uniform = 0;
        var faces = new int[6];
        for (var i = 0; i < Count; i++)
        {
            var normal = stream.NextGaussian();
            (sum, squares) = (sum + normal, squares + normal * normal);
            var single = stream.NextSingle();
            Assert.True(single is >= 0 and < 1);
            uniform += stream.NextDouble();
            faces[stream.NextInt32(6)]++;
        }
        // Bounds of five standard errors; the stream is fixed, so the outcome is too.
        Assert.InRange(sum / Count, -0.0354, 0.0354);
        Assert.InRange(squares / Count, 0.95, 1.05);
        Assert.InRange(uniform / Count, 0.4898, 0.5102);
        Assert.All(faces, n => Assert.InRange(n, 3069, 3597));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.NextInt32(0));
    }

    [Fact]
    public void Stream_of_a_key_never_changes_between_releases()
    {
        var stream = new PhiloxStream(1, RandomPurpose.Augmentation, 2, 3);
        Assert.Equal([0xda25c34bu, 0x020212d0u, 0x90574618u, 0x9118a664u, 0xa25078a4u, 0x34b87364u], Enumerable.Range(0, 6).Select(_ => stream.NextUInt32()));
    }
}
