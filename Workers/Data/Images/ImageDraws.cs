using Cluster.Contracts;

namespace Cluster.Workers.Data.Images;

/// <summary>
/// The random numbers of one sample in one epoch: 32-bit words of one stream, each with a fixed place, so that turning one
/// augmentation off, or a crop that fits at the first try, changes nothing of what the others do. Lives on the stack.
/// </summary>
internal readonly ref struct ImageDraws
{
    /// <summary>The mirror; then the crop's tries; then colour; then erasing. A new draw is put last.</summary>
    private const int Mirror = 0, Crop = 4, WordsATry = 6, Jitter = Crop + CropGeometry.Tries * WordsATry, JitterWords = 12, Erase = Jitter + JitterWords;

    /// <summary>Words of a sample.</summary>
    public const int Words = Erase + 4 + CropGeometry.Tries * WordsATry;

    private readonly ReadOnlySpan<uint> _words;

    /// <param name="words">[<see cref="Words"/>] of scratch, filled here.</param>
    public ImageDraws(ulong seed, long epoch, int sample, Span<uint> words)
    {
        var stream = new PhiloxStream(seed, RandomPurpose.Augmentation, (ulong)epoch, (ulong)sample);
        stream.Fill(words[..Words]);
        _words = words;
    }

    /// <summary>Heads or tails.</summary>
    public bool IsMirrored => _words[Mirror] >> 31 == 1;

    public CropGeometry.Try CropTry(int number) => Try(Crop + number * WordsATry);

    /// <summary>Uniform in [0, 1); what for is the caller's: four of them.</summary>
    public double JitterFactor(int number) => Uniform(Jitter + 4 + 2 * number);

    /// <summary>One of the 24 orders of four, by which the jitter's parts are applied.</summary>
    public void JitterOrder(Span<int> order)
    {
        for (var i = 0; i < 4; i++) order[i] = i;
        for (var i = 3; i > 0; i--)
        {
            var other = CropGeometry.Scaled(_words[Jitter + i], i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
    }

    /// <summary>Uniform in [0, 1): whether something is erased.</summary>
    public double EraseChance => Uniform(Erase);

    public CropGeometry.Try EraseTry(int number) => Try(Erase + 4 + number * WordsATry);

    private CropGeometry.Try Try(int at) => new(Uniform(at), Uniform(at + 2), _words[at + 4], _words[at + 5]);

    private double Uniform(int at) => ((((ulong)_words[at] << 32) | _words[at + 1]) >> 11) * (1.0 / (1UL << 53));
}
