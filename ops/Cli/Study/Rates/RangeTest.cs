using System.Collections.Immutable;

namespace Cluster.Cli.Study;

/// <summary>One step of a range test.</summary>
/// <param name="Loss">Mean training loss of the step, in nats.</param>
/// <param name="Smoothed">Moving average of the losses up to here.</param>
internal readonly record struct RangePoint(long Step, double Rate, double Loss, double Smoothed);

/// <summary>What a range test came to.</summary>
internal enum RangeVerdict
{
    /// <summary>The loss fell, and rose again behind its lowest point.</summary>
    Found,

    /// <summary>No rate was too high: the loss was still falling at the last one.</summary>
    StillFalling,

    /// <summary>The loss was lowest at the first rates: none of them was low enough, or the steps were too few.</summary>
    NeverFell,
}

/// <summary>
/// A learning-rate range test (Smith, 2017, section 3.3): one training run whose rate rises exponentially from step to step,
/// and the loss over the rate. A value; pure.
/// </summary>
internal sealed record RangeTest
{
    /// <summary>Share of the average that a step keeps. Single losses are too noisy to read a slope from; more would lag behind the rate.</summary>
    private const double Kept = 0.8;

    /// <summary>A smoothed loss above so many times the lowest one ends the test.</summary>
    public const double Divergence = 4;

    /// <summary>The suggestion is the rate of the lowest loss divided by this: at the lowest point itself training is about to diverge.</summary>
    public const double Margin = 10;

    /// <summary>The first steps say more about the first batches than about the rate.</summary>
    private const int Settling = 3;

    /// <summary>In order, up to the one that diverged.</summary>
    public ImmutableArray<RangePoint> Points { get; private init; } = [];

    private double Average { get; init; }

    /// <summary>The loss has left for good; what comes later tells nothing.</summary>
    public bool HasDiverged { get; private init; }

    /// <summary>The test with one more step; one that has diverged takes no more.</summary>
    public RangeTest With(long step, double rate, double loss)
    {
        if (HasDiverged) return this;
        var average = Kept * Average + (1 - Kept) * loss;
        var smoothed = average / (1 - Math.Pow(Kept, Points.Length + 1));       // of the few that there are, without the 0 it began with
        var lowest = Points.Select(static p => p.Smoothed).Append(double.PositiveInfinity).Min();
        return this with
        {
            Points = Points.Add(new RangePoint(step, rate, loss, smoothed)),
            Average = average,
            HasDiverged = !double.IsFinite(smoothed) || smoothed > Divergence * lowest,
        };
    }

    private IEnumerable<RangePoint> Settled => Points.Skip(Math.Min(Settling, Math.Max(0, Points.Length - 1))).Where(static p => double.IsFinite(p.Smoothed));

    /// <summary>Where the smoothed loss is lowest. Null without a finite loss.</summary>
    public RangePoint? Lowest => Settled.Any() ? Settled.MinBy(static p => p.Smoothed) : null;

    /// <summary>Where the smoothed loss falls most per decade of the rate, before its lowest point. Null when it never falls.</summary>
    public RangePoint? Steepest
    {
        get
        {
            if (Lowest is not { } lowest) return null;
            var falling = Settled.Where(p => p.Step <= lowest.Step).ToArray();
            var best = (At: (RangePoint?)null, Slope: 0.0);
            for (var i = 1; i < falling.Length - 1; i++)
            {
                var slope = (falling[i + 1].Smoothed - falling[i - 1].Smoothed) / Math.Log10(falling[i + 1].Rate / falling[i - 1].Rate);
                if (slope < best.Slope) best = (falling[i], slope);
            }
            return best.At;
        }
    }

    /// <summary>The rate to begin with; null when none can be told.</summary>
    public double? Suggestion => Verdict == RangeVerdict.NeverFell ? null : Lowest!.Value.Rate / Margin;

    public RangeVerdict Verdict =>
        Steepest is null ? RangeVerdict.NeverFell
        : !HasDiverged && Lowest!.Value.Step >= Points[^1].Step - Points.Length / 20 ? RangeVerdict.StillFalling
        : RangeVerdict.Found;

    /// <summary>For people.</summary>
    public string Sentence => Verdict switch
    {
        RangeVerdict.NeverFell => "The loss never fell: no rate can be suggested. Try a lower --min-lr, or more --steps.",
        RangeVerdict.StillFalling => $"The loss was still falling at the highest rate, {Rate(Points[^1].Rate)}: the suggestion {Rate(Suggestion!.Value)} is a lower bound. Try a higher --max-lr.",
        _ => $"Suggested rate: {Rate(Suggestion!.Value)}, one tenth of {Rate(Lowest!.Value.Rate)}, where the loss was lowest ({Lowest.Value.Smoothed:0.0000}); it fell fastest at {Rate(Steepest!.Value.Rate)}.",
    };

    /// <summary>Two digits: no test tells more.</summary>
    public static string Rate(double rate) => rate.ToString("0.0e+0", System.Globalization.CultureInfo.InvariantCulture);
}
