namespace Cluster.Workers.Data.Images;

/// <summary>
/// torchvision's <c>ColorJitter</c> over Pillow images: brightness, contrast, saturation and hue by random factors, in a random
/// order, each rounded to bytes as Pillow's ImageEnhance and HSV mode do. Immutable; any thread.
/// </summary>
internal sealed unsafe class ColorJitter(IReadOnlyList<double> strengths)
{
    private const int Brightness = 0, Contrast = 1, Saturation = 2, Hue = 3;
    private readonly double[] _strengths = [.. strengths];

    /// <param name="pixels">Of four bytes; changed in place.</param>
    public void Apply(byte* pixels, int count, ImageDraws draws)
    {
        Span<int> order = stackalloc int[4];
        draws.JitterOrder(order);
        foreach (var part in order)
            if (_strengths[part] > 0) Apply(part, FactorOf(part, draws.JitterFactor(part)), pixels, count);
    }

    /// <summary>Hue: in [-x, x] turns; else in [max(0, 1 - x), 1 + x].</summary>
    private double FactorOf(int part, double draw)
    {
        var strength = _strengths[part];
        var low = part == Hue ? -strength : Math.Max(0, 1 - strength);
        return low + draw * ((part == Hue ? strength : 1 + strength) - low);
    }

    /// <param name="part">0 brightness, 1 contrast, 2 saturation, 3 hue.</param>
    internal static void Apply(int part, double factor, byte* pixels, int count)
    {
        switch (part)
        {
            case Brightness:
                BlendWith(0, (float)factor, pixels, count);
                break;
            case Contrast:
                BlendWith(MeanOf(pixels, count), (float)factor, pixels, count);
                break;
            case Saturation:
                BlendWithGrey((float)factor, pixels, count);
                break;
            default:
                TurnHue(factor, pixels, count);
                break;
        }
    }

    private static void BlendWith(byte level, float factor, byte* pixels, int count)
    {
        Span<byte> table = stackalloc byte[256];
        for (var i = 0; i < table.Length; i++) table[i] = Blended(level, (byte)i, factor);
        for (var pixel = pixels; pixel < pixels + 4 * (nint)count; pixel += 4) (pixel[0], pixel[1], pixel[2]) = (table[pixel[0]], table[pixel[1]], table[pixel[2]]);
    }

    private static void BlendWithGrey(float factor, byte* pixels, int count)
    {
        for (var pixel = pixels; pixel < pixels + 4 * (nint)count; pixel += 4)
        {
            var grey = GreyOf(pixel);
            (pixel[0], pixel[1], pixel[2]) = (Blended(grey, pixel[0], factor), Blended(grey, pixel[1], factor), Blended(grey, pixel[2], factor));
        }
    }

    /// <summary>Pillow's blend: float32, cut off, not rounded.</summary>
    private static byte Blended(byte from, byte to, float factor) => (byte)Math.Clamp(from + factor * (to - from), 0f, 255f);

    /// <summary>ITU-R 601 luma in Pillow's fixed point.</summary>
    private static byte GreyOf(byte* pixel) => (byte)((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16);

    private static byte MeanOf(byte* pixels, int count)
    {
        var sum = 0L;
        for (var i = 0; i < count; i++) sum += GreyOf(pixels + 4 * (nint)i);
        return (byte)((double)sum / count + 0.5);
    }

    private static void TurnHue(double turns, byte* pixels, int count)
    {
        // torchvision: numpy.uint8(factor * 255), which wraps round.
        var shift = (byte)(int)(turns * 255);
        for (var pixel = pixels; pixel < pixels + 4 * (nint)count; pixel += 4)
        {
            var (hue, saturation, value) = ToHsv(pixel[0], pixel[1], pixel[2]);
            (pixel[0], pixel[1], pixel[2]) = ToRgb((byte)(hue + shift), saturation, value);
        }
    }

    /// <summary>Each in [0, 255], cut off; float32 where Pillow has it, for the same bytes.</summary>
    private static (byte Hue, byte Saturation, byte Value) ToHsv(byte red, byte green, byte blue)
    {
        var most = Math.Max(red, Math.Max(green, blue));
        var least = Math.Min(red, Math.Min(green, blue));
        if (most == least) return (0, 0, most);
        var range = (float)(most - least);
        var saturation = range / most;
        var (r, g, b) = ((most - red) / range, (most - green) / range, (most - blue) / range);
        var sixths = red == most ? b - g : green == most ? (float)(2.0 + r - b) : (float)(4.0 + g - r);
        var hue = (float)((sixths / 6.0 + 1.0) % 1.0);
        return ((byte)Math.Clamp((int)(hue * 255.0), 0, 255), (byte)Math.Clamp((int)(saturation * 255.0), 0, 255), most);
    }

    private static (byte Red, byte Green, byte Blue) ToRgb(byte hue, byte saturation, byte value)
    {
        if (saturation == 0) return (value, value, value);
        var sixth = (int)Math.Floor((float)hue * 6.0 / 255.0);
        var part = (float)((float)hue * 6.0 / 255.0 - sixth);
        var share = (float)(saturation / 255.0);
        var p = ToByte(value * (1.0 - share));
        var q = ToByte(value * (1.0 - share * part));
        var t = ToByte(value * (1.0 - share * (1.0 - part)));
        return (sixth % 6) switch
        {
            0 => (value, t, p),
            1 => (q, value, p),
            2 => (p, value, t),
            3 => (p, q, value),
            4 => (t, p, value),
            _ => (value, p, q),
        };
    }

    /// <summary>C's round: a half goes away from 0.</summary>
    private static byte ToByte(double value) => (byte)Math.Clamp((int)Math.Round(value, MidpointRounding.AwayFromZero), 0, 255);
}
