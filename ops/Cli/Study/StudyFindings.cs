using System.Globalization;

namespace Cluster.Cli.Study;

/// <summary>What the numbers of a study show, in sentences made from them. Pure.</summary>
internal static class StudyFindings
{
    /// <summary>Below this, differences between cells are those of the first steps.</summary>
    public const double LeastEpochs = 5;

    /// <param name="IsShort">Nothing can be concluded.</param>
    internal sealed record Findings(bool IsShort, IReadOnlyList<string> Sentences);

    public static Findings Of(StudyState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var plan = state.Plan;
        if (state.Done == 0) return new Findings(IsShort: true, ["No cell has ended yet."]);
        var sentences = new List<string>();
        var isShort = plan.Epochs < LeastEpochs;
        if (isShort)
        {
            sentences.Add(string.Create(CultureInfo.InvariantCulture,
                $"Too short to conclude: every cell trained {plan.Steps:N0} {(plan.Steps == 1 ? "step" : "steps")}, {Short(plan.Epochs)} epochs, and below {LeastEpochs:0} epochs the differences between cells are those of the first steps. The figures show that every cell runs, not what it is good for."));
        }
        else
        {
            sentences.AddRange(plan.Variants.Skip(1).Select(variant => Compared(state, plan.Variants[0], variant)).OfType<string>());
            if (Best(state) is { } best) sentences.Add(best);
            sentences.Add("One seed: every cell was trained once; a difference within twice its sampling error may be chance, and even a larger one may change with the seed.");
        }
        var diverged = state.Ended.Where(static ended => ended.Outcome.Failure is not null).ToList();
        if (diverged.Count > 0) sentences.Add($"Diverged: {string.Join(", ", diverged.Select(static ended => $"{ended.Cell.Model} with {ended.Cell.Variant} behind step {ended.Outcome.Steps}"))}.");
        if (!state.IsComplete) sentences.Add($"{state.Done} of {plan.Cells.Length} cells have ended; the others are missing here.");
        return new Findings(isShort, sentences);
    }

    /// <summary>A variant against the plain case, over the models that have both.</summary>
    private static string? Compared(StudyState state, string plain, string variant)
    {
        var pairs = state.Plan.Models
            .Select(model => (Model: model, Plain: state.OutcomeOf(model, plain), Other: state.OutcomeOf(model, variant)))
            .Where(static pair => pair.Plain?.TestAccuracy is not null && pair.Other?.TestAccuracy is not null)
            .Select(static pair => (pair.Model, Plain: pair.Plain!, Other: pair.Other!))
            .ToList();
        if (pairs.Count == 0) return null;
        var gains = pairs.Select(static pair => (pair.Model, Points: 100 * (pair.Other.TestAccuracy!.Value - pair.Plain.TestAccuracy!.Value), Error: 100 * ErrorOf(pair.Plain, pair.Other))).ToList();
        var better = gains.Count(static gain => gain.Points > 0);
        var clear = gains.Count(static gain => Math.Abs(gain.Points) > 2 * gain.Error);
        var largest = gains.MaxBy(static gain => Math.Abs(gain.Points));
        var whole = pairs.Count == 1
            ? $"{variant} against {plain}: test accuracy changes by {Points(gains[0].Points)} for {gains[0].Model}, {(clear == 1 ? "more than" : "within")} twice the sampling error of {Short(gains[0].Error)}"
            : $"{variant} against {plain}: test accuracy is higher for {better} of {pairs.Count} architectures and changes by {Points(gains.Average(static gain => gain.Points))} on average, most for {largest.Model} ({Points(largest.Points)}); {Counted(clear, "difference exceeds", "differences exceed")} twice the sampling error (up to {Short(gains.Max(static gain => gain.Error))} points)";
        var gap = 100 * pairs.Average(static pair => pair.Other.Gap!.Value - pair.Plain.Gap!.Value);
        var norms = pairs.Where(static pair => pair.Plain.WeightNorm > 0 && pair.Other.WeightNorm is not null).Select(static pair => pair.Other.WeightNorm!.Value / pair.Plain.WeightNorm!.Value).ToList();
        var size = norms.Count == 0 ? "" : $", and the weights end {Short(Math.Exp(norms.Average(Math.Log)))} times as large";
        var clipped = pairs.Average(static pair => pair.Other.ClippedShare);
        var steps = clipped > 0 ? $"; {Short(100 * clipped)} % of its steps were scaled down" : "";
        return $"{whole}. The gap between training and test accuracy {(Math.Abs(gap) < 0.05 ? "stays" : $"{(gap < 0 ? "narrows" : "widens")} by {Unsigned(Math.Abs(gap))}")}{size}{steps}.";
    }

    private static string? Best(StudyState state)
    {
        var best = state.Ended.Where(static ended => ended.Outcome.TestAccuracy is not null).GroupBy(static ended => ended.Cell.Model).Select(static group => group.MaxBy(static ended => ended.Outcome.TestAccuracy)).ToList();
        return best.Count == 0 ? null : $"Best on the test images: {string.Join(", ", best.Select(static ended => $"{ended.Cell.Model} with {ended.Cell.Variant} ({Short(100 * ended.Outcome.TestAccuracy!.Value)} %)"))}.";
    }

    /// <summary>
    /// Standard error of the difference of two accuracies, as if the samples were drawn anew for each: both saw the same
    /// images, so this is at least as large as the true one.
    /// </summary>
    internal static double ErrorOf(CellOutcome first, CellOutcome second)
    {
        static double Variance(CellOutcome outcome) => outcome.TestAccuracy!.Value * (1 - outcome.TestAccuracy.Value) / Math.Max(1, outcome.TestSamples);
        return Math.Sqrt(Variance(first) + Variance(second));
    }

    private static string Counted(int count, string one, string many) => count switch { 0 => $"no {one}", 1 => $"1 {one}", _ => $"{count} {many}" };

    private static string Points(double points) => $"{(points < 0 ? "−" : "+")}{Unsigned(Math.Abs(points))}";

    private static string Unsigned(double points) => Short(points) is var text && text == "1" ? "1 point" : $"{text} points";

    /// <summary>Two digits that count, or one behind the point.</summary>
    private static string Short(double value) => value.ToString(Math.Abs(value) is > 0 and < 0.95 ? "0.00" : "0.#", CultureInfo.InvariantCulture);
}
