using System.Globalization;
using System.Text;

namespace Cluster.Chaos;

/// <summary>A point of a curve: step or seconds, and value.</summary>
public readonly record struct CurvePoint(double X, double Y);

/// <summary>Places numbers on an axis of length 1.</summary>
public sealed record Axis(double Least, double Most, bool IsLogarithmic = false)
{
    private const int WantedTicks = 5;

    /// <summary>0 at <see cref="Least"/>, 1 at <see cref="Most"/>.</summary>
    public double At(double value)
    {
        if (Most <= Least) return 0.5;
        return IsLogarithmic ? (Math.Log(Math.Max(value, Least)) - Math.Log(Least)) / (Math.Log(Most) - Math.Log(Least)) : (value - Least) / (Most - Least);
    }

    /// <summary>An axis with some air above and below the values, which need not be finite.</summary>
    public static Axis Around(IEnumerable<double> values)
    {
        var finite = values.Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        var (least, most) = (finite.Min(), finite.Max());
        var air = most > least ? 0.06 * (most - least) : Math.Max(1e-6, 0.05 * Math.Abs(most));
        return new Axis(least >= 0 ? Math.Max(0, least - air) : least - air, most + air);
    }

    /// <summary>A logarithmic axis over positive values.</summary>
    public static Axis Logarithmic(IEnumerable<double> values)
    {
        var positive = values.Where(static v => double.IsFinite(v) && v > 0).DefaultIfEmpty(1).ToList();
        return new Axis(positive.Min() / 1.25, positive.Max() * 1.25, IsLogarithmic: true);
    }

    /// <summary>Round numbers inside: 1, 2 or 5 times a power of ten.</summary>
    public IReadOnlyList<double> Ticks()
    {
        var ticks = new List<double>();
        if (IsLogarithmic)
        {
            int[] digits = Math.Log10(Most / Least) > 2.5 ? [1] : Math.Log10(Most / Least) > 1.2 ? [1, 3] : [1, 2, 5];
            for (var exponent = (int)Math.Floor(Math.Log10(Least)); exponent <= Math.Log10(Most); exponent++)
                ticks.AddRange(digits.Select(digit => digit * Math.Pow(10, exponent)).Where(tick => tick >= Least && tick <= Most));
            return ticks;
        }
        if (Most <= Least) return [Least];
        var rough = (Most - Least) / WantedTicks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var width = power * (rough / power) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 };
        for (var tick = Math.Ceiling(Least / width) * width; tick <= Most + width * 1e-9; tick += width) ticks.Add(Math.Round(tick, 12));
        return ticks;
    }
}

/// <summary>Curves as SVG paths in a box of 1000 x 1000 that is stretched to its place.</summary>
public static class Curve
{
    private const int Box = 1000;

    /// <summary>At most so many points: of each piece the first, the lowest and the highest, so that no peak is lost.</summary>
    public static IReadOnlyList<CurvePoint> Thin(IReadOnlyList<CurvePoint> points, int most)
    {
        if (points.Count <= most) return points;
        var kept = new List<CurvePoint>();
        var piece = (int)Math.Ceiling(points.Count * 3.0 / most);
        foreach (var part in points.Chunk(piece)) kept.AddRange(new[] { part[0], part.MinBy(static p => p.Y), part.MaxBy(static p => p.Y) }.Distinct().OrderBy(static p => p.X));
        return kept;
    }

    /// <summary>The <c>d</c> of a path. What is not finite breaks the line.</summary>
    public static string Path(IReadOnlyList<CurvePoint> points, Axis x, Axis y)
    {
        var path = new StringBuilder();
        var isBroken = true;
        foreach (var point in points)
        {
            if (!double.IsFinite(point.Y))
            {
                isBroken = true;
                continue;
            }
            path.Append(isBroken ? 'M' : 'L').Append(Place(x.At(point.X))).Append(' ').Append(Place(1 - y.At(point.Y)));
            isBroken = false;
        }
        return path.ToString();
    }

    /// <summary>A stroke from top to bottom at each place.</summary>
    public static string Strokes(IEnumerable<double> places) => string.Concat(places.Select(place => $"M{Place(place)} 0V{Box}"));

    private static string Place(double share) => (share * Box).ToString("0.#", CultureInfo.InvariantCulture);
}
