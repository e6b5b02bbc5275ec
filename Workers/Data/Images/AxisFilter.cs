namespace Cluster.Workers.Data.Images;

/// <summary>
/// One axis of a resize as Pillow's <c>Image.resize(…, BILINEAR)</c> has it: a triangle, stretched by the scale when the image
/// gets smaller, in fixed point of 22 bits (Pillow's src/libImaging/Resample.c defines it). Used again for every image; one thread.
/// </summary>
internal sealed class AxisFilter
{
    /// <summary>Bits behind the point of a weight: a sum of 255 times all weights, and a bit to round, still fit 32.</summary>
    public const int PrecisionBits = 22;

    /// <summary>Weights are stored and applied so many at a time; those that are too many are 0.</summary>
    public const int TapsAtOnce = 4;

    private int[] _starts = [], _counts = [], _weights = [], _packed = [];
    private double[] _shares = [];

    /// <summary>Pixels that this axis makes.</summary>
    public int Count { get; private set; }

    /// <summary>[Low, High) of the frame's pixels are needed.</summary>
    public int Low { get; private set; }

    public int High { get; private set; }

    /// <summary>Weights a pixel, a multiple of <see cref="TapsAtOnce"/>.</summary>
    public int Stride { get; private set; }

    /// <summary>[Count]: the first pixel of the frame, less <see cref="Low"/>.</summary>
    public ReadOnlySpan<int> Starts => _starts.AsSpan(0, Count);

    /// <summary>[Count]: how many pixels from there.</summary>
    public ReadOnlySpan<int> Counts => _counts.AsSpan(0, Count);

    /// <summary>[Count, Stride].</summary>
    public ReadOnlySpan<int> Weights => _weights.AsSpan(0, Count * Stride);

    /// <summary>
    /// [Count, Stride]: of every four weights a, b, c, d the words (a, b) and (c, d) of their upper 14 bits, then of their
    /// lower 8, as 16-bit halves: what multiply-and-add of 16-bit pairs takes. 2^8 times the one sum and the other is exact.
    /// </summary>
    public ReadOnlySpan<int> Packed => _packed.AsSpan(0, Count * Stride);

    /// <summary>Resizes [start, start + length) of a frame to <paramref name="total"/> pixels, and keeps those from <paramref name="first"/> on.</summary>
    /// <param name="frame">Pixels of the frame; none beyond it is used, nor beyond the interval rounded outward.</param>
    public void Set(double start, double length, int frame, int total, int first, int count)
    {
        // Counted from the interval's first whole pixel, as Pillow counts in an image that was cropped before.
        var origin = (int)Math.Floor(start);
        var size = Math.Min(frame, (int)Math.Ceiling(start + length)) - origin;
        var begin = start - origin;
        var scale = length / total;
        var support = Math.Max(scale, 1.0);
        var narrowing = 1.0 / support;

        (Count, Stride) = (count, Rounded((int)Math.Ceiling(support) * 2 + 1));
        Reserve();
        (Low, High) = (int.MaxValue, 0);
        for (var i = 0; i < count; i++)
        {
            var centre = begin + (first + i + 0.5) * scale;
            var low = Math.Max(0, (int)(centre - support + 0.5));
            var high = Math.Min(size, (int)(centre + support + 0.5));
            WriteWeights(i, low, high - low, centre, narrowing);
            _starts[i] = origin + low;
            Low = Math.Min(Low, origin + low);
            High = Math.Max(High, origin + high);
        }
        for (var i = 0; i < count; i++) _starts[i] -= Low;
    }

    private void WriteWeights(int pixel, int low, int taps, double centre, double narrowing)
    {
        var shares = _shares.AsSpan(0, taps);
        var sum = 0.0;
        for (var tap = 0; tap < taps; tap++)
        {
            var distance = Math.Abs((tap + low - centre + 0.5) * narrowing);
            shares[tap] = distance < 1.0 ? 1.0 - distance : 0.0;
            sum += shares[tap];
        }
        _counts[pixel] = taps;
        var weights = _weights.AsSpan(pixel * Stride, Stride);
        weights[taps..].Clear();
        for (var tap = 0; tap < taps; tap++)
        {
            var share = sum != 0.0 ? shares[tap] / sum : shares[tap];
            weights[tap] = (int)(0.5 + share * (1 << PrecisionBits));
        }
        var packed = _packed.AsSpan(pixel * Stride, Stride);
        for (var i = 0; i < Rounded(taps); i += TapsAtOnce)
        {
            var (a, b, c, d) = (weights[i], weights[i + 1], weights[i + 2], weights[i + 3]);
            packed[i] = (a >> 8) | (b >> 8 << 16);
            packed[i + 1] = (c >> 8) | (d >> 8 << 16);
            packed[i + 2] = (a & 0xFF) | ((b & 0xFF) << 16);
            packed[i + 3] = (c & 0xFF) | ((d & 0xFF) << 16);
        }
    }

    private static int Rounded(int taps) => (taps + TapsAtOnce - 1) / TapsAtOnce * TapsAtOnce;

    private void Reserve()
    {
        if (_starts.Length < Count) (_starts, _counts) = (new int[Count], new int[Count]);
        // Half more: the scale differs with every image.
        if (_weights.Length < Count * Stride) (_weights, _packed) = (new int[Count * Stride * 3 / 2], new int[Count * Stride * 3 / 2]);
        if (_shares.Length < Stride) _shares = new double[Stride * 3 / 2];
    }
}
