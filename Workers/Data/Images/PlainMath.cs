namespace Cluster.Workers.Data.Images;

/// <summary>
/// Exponential and logarithm out of additions, multiplications and divisions alone: these are the same on every machine, and what
/// the system's mathematics library gives is not (it picks its code by the processor). Relative error below 1e-14.
/// </summary>
internal static class PlainMath
{
    private const double Ln2 = 0.69314718055994530942;

    /// <param name="x">In [-100, 100].</param>
    public static double Exp(double x)
    {
        var power = (int)Math.Floor(x / Ln2 + 0.5);
        var rest = x - power * Ln2;
        // |rest| < 0.35: the 18th term is below 1e-24.
        var sum = 1.0;
        for (var i = 18; i >= 1; i--) sum = 1.0 + sum * rest / i;
        return Math.ScaleB(sum, power);
    }

    /// <param name="x">Above 0.</param>
    public static double Log(double x)
    {
        var power = 0;
        for (; x > 1.5; x /= 2) power++;
        for (; x < 0.75; x *= 2) power--;
        // log x = 2 atanh z; |z| <= 0.2, so the 15th odd power is below 1e-20.
        var z = (x - 1) / (x + 1);
        var (square, sum) = (z * z, 0.0);
        for (var i = 29; i >= 1; i -= 2) sum = sum * square + 1.0 / i;
        return power * Ln2 + 2 * z * sum;
    }
}
