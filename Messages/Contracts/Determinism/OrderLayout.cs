using System.Globalization;

namespace Cluster.Contracts;

/// <summary>
/// What the order of an epoch looks like to the disk. Uniform: every order of all samples. Else blocks of consecutive samples
/// are taken in a random order, and so many of them at a time, a window, are mixed sample by sample: the same samples exactly
/// once, but the positions of a window lie in few places of the disk.
/// </summary>
/// <param name="BlockSamples">Consecutive samples of a block, the last block may be short; 0 = uniform.</param>
/// <param name="WindowBlocks">Blocks that are mixed with each other; 0 = uniform.</param>
public readonly record struct OrderLayout(int BlockSamples, int WindowBlocks)
{
    private const string UniformText = "uniform", Prefix = "blocks-", Middle = "-window-";

    /// <summary>Every sample may come anywhere; what sets have that lie in memory.</summary>
    public static OrderLayout Uniform => default;

    public bool IsUniform => this == default;

    /// <summary>Positions of a window without a short block.</summary>
    public long WindowSamples => (long)BlockSamples * WindowBlocks;

    /// <exception cref="ArgumentOutOfRangeException">One of the two is not positive while the other is.</exception>
    public void ThrowUnlessSound()
    {
        if (!IsUniform && (BlockSamples < 1 || WindowBlocks < 1)) throw new ArgumentOutOfRangeException(nameof(BlockSamples), $"no order has blocks of {BlockSamples} in windows of {WindowBlocks}");
    }

    /// <summary>As a run notes it: <c>uniform</c>, or <c>blocks-64-window-16</c>.</summary>
    public override string ToString() =>
        IsUniform ? UniformText : string.Create(CultureInfo.InvariantCulture, $"{Prefix}{BlockSamples}{Middle}{WindowBlocks}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string? text, out OrderLayout layout)
    {
        layout = Uniform;
        if (text == UniformText) return true;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var middle = text.IndexOf(Middle, StringComparison.Ordinal);
        if (middle < Prefix.Length
            || !int.TryParse(text.AsSpan(Prefix.Length, middle - Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var block)
            || !int.TryParse(text.AsSpan(middle + Middle.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var window)
            || block < 1 || window < 1) return false;
        layout = new OrderLayout(block, window);
        return true;
    }
}
