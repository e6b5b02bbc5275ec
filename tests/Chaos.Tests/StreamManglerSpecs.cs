using System.Buffers;
using Cluster.Chaos.Proxy;

namespace Cluster.Chaos.Tests;

/// <summary>Damage follows from seed, stream and byte position, whatever the reads are.</summary>
public sealed class StreamManglerSpecs
{
    private const int Segment = StreamMangler.SegmentBytes;

    private static readonly byte[] Stream = RandomBytes(200_000, 1);

    [Theory]
    [InlineData(DamageKind.Corrupt, 10_000)]
    [InlineData(DamageKind.Corrupt, 1)]
    [InlineData(DamageKind.Duplicate, 10_000)]
    [InlineData(DamageKind.Duplicate, 1_500)]
    [InlineData(DamageKind.Reorder, 10_000)]
    [InlineData(DamageKind.Reorder, 2_896)]
    public void Same_seed_and_bytes_give_the_same_damage_however_they_are_cut(DamageKind kind, long every)
    {
        var expected = Pass(7, Stream, [Stream.Length], m => m.Every(kind, every));
        Assert.NotEqual(Stream, expected.Output);
        foreach (var size in new[] { 1, 76, 1_447, 1_448, 1_449, 65_536 })
        {
            var other = Pass(7, Stream, Cuts(size), m => m.Every(kind, every));
            Assert.Equal(expected.Damages, other.Damages);
            Assert.Equal(expected.Output, other.Output);
        }
        Assert.NotEqual(expected.Output, Pass(8, Stream, [Stream.Length], m => m.Every(kind, Math.Max(every, 10_000))).Output);
    }

    [Theory]
    [InlineData(DamageKind.Corrupt)]
    [InlineData(DamageKind.Duplicate)]
    [InlineData(DamageKind.Reorder)]
    public void Every_window_of_the_stream_is_damaged_once(DamageKind kind)
    {
        var (_, damages) = Pass(5, Stream, Cuts(4_096), m => m.Every(kind, 20_000));
        Assert.Equal(10, damages.Count);
        for (var i = 0; i < damages.Count; i++) Assert.InRange(damages[i].Position, i * 20_000L, ((i + 1) * 20_000L) - 1);
        Assert.True(damages.Select(d => d.Position % 20_000).Distinct().Count() > 5, "the places are drawn");
    }

    [Fact]
    public void Corrupt_flips_one_bit_where_it_says()
    {
        var (output, damages) = Pass(9, Stream, Cuts(10_000), m => m.Every(DamageKind.Corrupt, 50_000));
        var differ = Enumerable.Range(0, Stream.Length).Where(i => Stream[i] != output[i]).ToArray();
        Assert.Equal(damages.Select(d => (int)d.Position), differ);
        Assert.All(differ, i => Assert.Equal(1, System.Numerics.BitOperations.PopCount((uint)(Stream[i] ^ output[i]))));
        Assert.Equal(Stream.Length, output.Length);
    }

    [Fact]
    public void Duplicate_sends_one_segment_twice_and_nothing_else_changes()
    {
        var (output, damages) = Pass(9, Stream, [Stream.Length], m => m.Once(DamageKind.Duplicate, Stream.Length));
        var at = (int)Assert.Single(damages).Position;
        Assert.Equal([.. Stream.AsSpan(0, at + Segment), .. Stream.AsSpan(at)], output);
    }

    [Fact]
    public void Reorder_swaps_two_segments_and_nothing_else_changes()
    {
        var (output, damages) = Pass(9, Stream, [Stream.Length], m => m.Once(DamageKind.Reorder, Stream.Length));
        var at = (int)Assert.Single(damages).Position;
        Assert.Equal([.. Stream.AsSpan(0, at), .. Stream.AsSpan(at + Segment, Segment), .. Stream.AsSpan(at, Segment), .. Stream.AsSpan(at + (2 * Segment))], output);
    }

    [Theory]
    [InlineData(DamageKind.Corrupt)]
    [InlineData(DamageKind.Duplicate)]
    [InlineData(DamageKind.Reorder)]
    public void Ordered_damage_lies_within_the_read_that_it_was_ordered_for(DamageKind kind)
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            var size = 4_000 + (int)seed;
            var (_, damages) = Pass(seed, Stream[..size], [size], m => m.Once(kind, size));
            var damage = Assert.Single(damages);
            Assert.InRange(damage.Position, 0, size - StreamMangler.BytesOf(kind));
        }
    }

    [Fact]
    public void Ordered_damage_comes_beside_the_regular_one()
    {
        var (_, damages) = Pass(3, Stream, Cuts(50_000), m => m.Every(DamageKind.Corrupt, 100_000), (m, read) =>
        {
            if (read is 1 or 3) m.Once(DamageKind.Corrupt, 50_000);
        });
        Assert.Equal(4, damages.Count);
        Assert.Contains(damages, d => d.Position is >= 50_000 and < 100_000);
        Assert.Contains(damages, d => d.Position is >= 150_000 and < 200_000);
    }

    [Fact]
    public void Segments_that_wait_for_their_other_half_pass_undamaged_when_they_are_released_and_the_damage_comes_later()
    {
        var damages = new List<Damage>();
        var mangler = new StreamMangler(2, 0, damages.Add);
        var output = new ArrayBufferWriter<byte>();
        mangler.Every(DamageKind.Reorder, 2 * Segment);
        mangler.Transform(Stream.AsSpan(0, 1_000), output);
        Assert.True(mangler.IsHolding);
        Assert.Equal(0, output.WrittenCount);
        mangler.Release(output);
        Assert.False(mangler.IsHolding);
        Assert.Equal(Stream.AsSpan(0, 1_000), output.WrittenSpan);
        Assert.Empty(damages);
        mangler.Transform(Stream.AsSpan(1_000, 2 * Segment), output);
        Assert.Equal(1_000, Assert.Single(damages).Position);
        Assert.Equal(Stream.AsSpan(1_000 + Segment, Segment), output.WrittenSpan.Slice(1_000, Segment));
    }

    [Fact]
    public void All_kinds_at_once_lose_no_byte_but_those_that_are_doubled()
    {
        var (output, damages) = Pass(4, Stream, Cuts(777), m =>
        {
            foreach (var kind in Enum.GetValues<DamageKind>()) m.Every(kind, 9_000);
        });
        Assert.Equal(Stream.Length + (Segment * damages.Count(d => d.Kind == DamageKind.Duplicate)), output.Length);
        Assert.All(Enum.GetValues<DamageKind>(), kind => Assert.InRange(damages.Count(d => d.Kind == kind), 18, 23));
    }

    [Fact]
    public void Mangler_is_idle_again_when_nothing_more_is_ordered()
    {
        var mangler = new StreamMangler(1, 1, _ => { });
        Assert.True(mangler.IsIdle);
        mangler.Once(DamageKind.Corrupt, 100);
        Assert.False(mangler.IsIdle);
        mangler.Transform(Stream.AsSpan(0, 100), new ArrayBufferWriter<byte>());
        Assert.True(mangler.IsIdle);
        mangler.Every(DamageKind.Duplicate, 5_000);
        mangler.Every(DamageKind.Duplicate, 0);
        Assert.True(mangler.IsIdle);
    }

    private static byte[] RandomBytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static int[] Cuts(int size) => [.. Enumerable.Repeat(size, Stream.Length / size), Stream.Length % size];

    private static (byte[] Output, List<Damage> Damages) Pass(ulong seed, byte[] stream, int[] cuts, Action<StreamMangler> prepare, Action<StreamMangler, int>? before = null)
    {
        var damages = new List<Damage>();
        var mangler = new StreamMangler(seed, 11, damages.Add);
        prepare(mangler);
        var (output, at) = (new ArrayBufferWriter<byte>(), 0);
        for (var read = 0; read < cuts.Length; read++)
        {
            before?.Invoke(mangler, read);
            mangler.Transform(stream.AsSpan(at, cuts[read]), output);
            at += cuts[read];
        }
        mangler.Release(output);
        Assert.Equal(stream.Length, mangler.Position);
        return (output.WrittenSpan.ToArray(), damages);
    }
}
