using Cluster.Contracts;

namespace Cluster.Workers.Data.Synthetic;

/// <summary>The class textures of <see cref="SyntheticDataset"/>: a function of the seed.</summary>
internal static class SyntheticPrototypes
{
    public const int Side = 32;
    private const int Channels = 3, WavesPerClass = 2, Amplitude = 60;

    /// <summary>Wave vectors are this long, in periods per image: coarser looks like a colour cast, finer like noise.</summary>
    private const int ShortestSquared = 2 * 2, LongestSquared = 7 * 7;

    /// <summary>Grey and opponent colours of about the same contrast, in 1/64.</summary>
    private static readonly int[][] Colours = [[52, 52, 52], [64, -64, 0], [0, 64, -64], [64, 0, -64], [52, 52, -52], [52, -52, 52]];

    /// <summary>One period of a sine in 1/127, rounded: no value lies near a half, so every libm gives the same table.</summary>
    private static readonly int[] Sine = [.. Enumerable.Range(0, Side).Select(static k => (int)Math.Round(127 * Math.Sin(2 * Math.PI * k / Side)))];

    /// <summary>[classes, 3, 32, 32] around 0, largest magnitude 120.</summary>
    public static short[] Draw(ulong seed, int classes)
    {
        var random = new PhiloxStream(seed, RandomPurpose.SyntheticPrototype, 0);
        var vectors = WaveVectors();
        var prototypes = new short[classes * Channels * Side * Side];
        for (var wave = 0; wave < classes * WavesPerClass; wave++)
        {
            // Fisher and Yates, one draw at a time: no wave vector belongs to two classes.
            var pick = wave + random.NextInt32(vectors.Count - wave);
            (vectors[wave], vectors[pick]) = (vectors[pick], vectors[wave]);
            var colour = Colours[random.NextInt32(Colours.Length)];
            var phase = random.NextInt32(Side);
            Add(prototypes.AsSpan(wave / WavesPerClass * Channels * Side * Side, Channels * Side * Side), vectors[wave], colour, phase);
        }
        return prototypes;
    }

    private static void Add(Span<short> prototype, (int Y, int X) vector, int[] colour, int phase)
    {
        for (var i = 0; i < prototype.Length; i++)
        {
            var (channel, y, x) = (i / (Side * Side), i / Side % Side, i % Side);
            var sine = Sine[(vector.Y * y + vector.X * x + phase) & (Side - 1)];
            prototype[i] += (short)(sine * colour[channel] * Amplitude / (127 * 64));
        }
    }

    /// <summary>One of every pair of opposite vectors in the ring: 66 of them.</summary>
    private static List<(int Y, int X)> WaveVectors()
    {
        var vectors = new List<(int, int)>();
        for (var y = 0; y <= 7; y++)
            for (var x = -7; x <= 7; x++)
                if (y * y + x * x is >= ShortestSquared and <= LongestSquared && (y > 0 || x > 0)) vectors.Add((y, x));
        return vectors;
    }
}
