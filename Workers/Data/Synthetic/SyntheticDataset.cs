using System.Buffers.Binary;
using System.Security.Cryptography;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Synthetic;

/// <summary>
/// <c>synthetic</c>: ten classes of coloured textures, 3x32x32, drawn from the run's seed; nothing is stored but ten
/// prototypes. A class is the sum of two plane waves on the 32x32 torus, each with a wave vector and a colour of its own.
/// A sample shifts its prototype by a random vector, scales it, and adds noise. The mean image of every class is flat
/// grey because the shift is uniform on the torus, so a linear model has nothing to hold on to; a small convolutional
/// network finds the wave vectors at once. All arithmetic is on integers: the same bytes on every machine.
/// </summary>
internal sealed class SyntheticDataset : IDataset
{
    public const string SetName = "synthetic";
    public const int TrainCount = 50_000, TestCount = 10_000;
    public const int Classes = 10;
    private const int Side = SyntheticPrototypes.Side, Plane = Side * Side;

    /// <summary>Contrast in 1/256: uniform in [Faintest, Faintest + ContrastSteps).</summary>
    private const int Faintest = 96, ContrastSteps = 128;

    /// <summary>Samples that mean and standard deviation are taken from: 512 x 1024 pixels a channel put them within 0.1 %.</summary>
    private const int StatisticsSamples = 512;

    /// <summary>Changes when the same seed would give other bytes.</summary>
    private const byte FormatVersion = 1;

    public static readonly ImageShape ImageShape = new(3, Side, Side);
    private static readonly short[] Noise = MakeNoise();

    private readonly ulong _seed;
    private readonly ulong _split;
    private readonly short[] _prototypes;

    private SyntheticDataset(ulong seed, string split, int count)
    {
        (_seed, Split, Count) = (seed, split, count);
        _split = split == "train" ? 0UL : 1UL;
        _prototypes = SyntheticPrototypes.Draw(seed, Classes);
        (Mean, Std) = Statistics();
        Fingerprint = ComputeFingerprint();
    }

    public static SyntheticDataset Train(ulong seed) => new(seed, "train", TrainCount);

    public static SyntheticDataset Test(ulong seed) => new(seed, "test", TestCount);

    public string Name => SetName;
    public string Split { get; }
    public int Count { get; }
    public ImageShape Shape => ImageShape;
    public int ClassCount => Classes;
    public IReadOnlyList<string> ClassNames { get; } = [.. Enumerable.Range(0, Classes).Select(static c => $"texture-{c}")];
    public IReadOnlyList<double> Mean { get; }
    public IReadOnlyList<double> Std { get; }
    public string Fingerprint { get; }

    public int LabelOf(int sample)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count);
        return sample % Classes;
    }

    public ISampleSource With(AugmentationOptions augmentation, ulong seed) => new PixelSource(this, new AugmentationPipeline(augmentation, this, seed));

    public int Read(int sample, Span<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count);
        if (pixels.Length < ImageShape.Floats) throw new ArgumentException($"{pixels.Length} bytes cannot hold an image of {ImageShape.Floats}", nameof(pixels));
        Generate(_split, sample, pixels[..ImageShape.Floats]);
        return sample % Classes;
    }

    /// <summary>The prototypes are shared and read-only, so there is nothing to free.</summary>
    public void Dispose()
    {
    }

    private void Generate(ulong split, int sample, Span<byte> pixels)
    {
        var random = new PhiloxStream(_seed, RandomPurpose.SyntheticSample, split, (ulong)sample);
        var (shiftY, shiftX) = (random.NextInt32(Side), random.NextInt32(Side));
        var contrast = Faintest + random.NextInt32(ContrastSteps);
        var prototype = _prototypes.AsSpan(sample % Classes * ImageShape.Floats, ImageShape.Floats);
        ReadOnlySpan<short> noise = Noise;
        for (var row = 0; row < ImageShape.Channels * Side; row++)
        {
            var channel = row / Side;
            var source = prototype.Slice(channel * Plane + (row + shiftY) % Side * Side, Side);
            var target = pixels.Slice(row * Side, Side);
            for (var x = 0; x < Side; x += sizeof(uint))
            {
                var bits = random.NextUInt32();
                for (var i = 0; i < sizeof(uint); i++)
                {
                    var value = 128 + ((source[(x + i + shiftX) & (Side - 1)] * contrast) >> 8) + noise[(byte)(bits >> (8 * i))];
                    target[x + i] = (byte)Math.Clamp(value, 0, 255);
                }
            }
        }
    }

    /// <summary>One byte, two nibbles: a triangular distribution around 0 with a standard deviation of 33.</summary>
    private static short[] MakeNoise()
    {
        var table = new short[256];
        for (var b = 0; b < table.Length; b++) table[b] = (short)(((b & 15) + (b >> 4) - 15) * 5);
        return table;
    }

    /// <summary>Always of the training split; sums are integers, so the result does not depend on their order.</summary>
    private (double[] Mean, double[] Std) Statistics()
    {
        Span<byte> pixels = stackalloc byte[ImageShape.Floats];
        Span<long> sums = stackalloc long[ImageShape.Channels], squares = stackalloc long[ImageShape.Channels];
        for (var sample = 0; sample < StatisticsSamples; sample++)
        {
            Generate(split: 0, sample, pixels);
            for (var i = 0; i < pixels.Length; i++)
            {
                sums[i / Plane] += pixels[i];
                squares[i / Plane] += pixels[i] * pixels[i];
            }
        }
        const double Pixels = (double)StatisticsSamples * Plane;
        var (mean, std) = (new double[ImageShape.Channels], new double[ImageShape.Channels]);
        for (var c = 0; c < mean.Length; c++)
        {
            mean[c] = sums[c] / Pixels / 255;
            std[c] = Math.Sqrt(squares[c] / Pixels - sums[c] / Pixels * (sums[c] / Pixels)) / 255;
        }
        return (mean, std);
    }

    private string ComputeFingerprint()
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> head = stackalloc byte[10];
        head[0] = FormatVersion;
        head[1] = (byte)_split;
        BinaryPrimitives.WriteUInt64LittleEndian(head[2..], _seed);
        sha.AppendData(head);
        Span<byte> pixels = stackalloc byte[ImageShape.Floats];
        for (var sample = 0; sample < 2 * Classes; sample++)
        {
            Generate(_split, sample, pixels);
            sha.AppendData(pixels);
        }
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }
}
