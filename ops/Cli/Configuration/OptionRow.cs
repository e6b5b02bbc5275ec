using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>Bounds of a number. NaN and infinities lie outside every range.</summary>
public sealed record NumberRange(double Minimum, double Maximum, bool MinimumExcluded = false, bool MaximumExcluded = false)
{
    public static readonly NumberRange NotNegative = new(0, double.PositiveInfinity);
    public static readonly NumberRange Positive = new(0, double.PositiveInfinity, MinimumExcluded: true);
    public static readonly NumberRange FromOne = new(1, double.PositiveInfinity);

    public bool Contains(double value) =>
        double.IsFinite(value)
        && (MinimumExcluded ? value > Minimum : value >= Minimum)
        && (MaximumExcluded ? value < Maximum : value <= Maximum);

    /// <summary>Completes "must be …".</summary>
    public override string ToString()
    {
        var low = (MinimumExcluded ? "above " : "at least ") + OptionRow.Number(Minimum);
        return double.IsPositiveInfinity(Maximum) ? low : $"{low} and {(MaximumExcluded ? "below" : "at most")} {OptionRow.Number(Maximum)}";
    }
}

/// <summary>
/// One option: its name in YAML and on the command line, and how its text becomes a part of <see cref="RunOptions"/>.
/// The command line, the YAML reader and writer, <c>--help</c> and docs/configuration.md are made from these rows alone.
/// </summary>
public sealed record OptionRow
{
    /// <summary>Place in a recipe: <c>batch</c>, <c>optimizer.momentum</c>.</summary>
    public required string Key { get; init; }

    /// <summary><c>--momentum</c>.</summary>
    public required string Flag { get; init; }

    /// <summary>Heading in the help.</summary>
    public required string Group { get; init; }

    /// <summary>Word for the value in the help: <c>N</c>, <c>X</c>, <c>NAME</c>, or the choices.</summary>
    public required string ValueName { get; init; }

    /// <summary>Unit of a number; empty when it has none.</summary>
    public string Unit { get; init; } = "";

    public required string Description { get; init; }

    /// <summary>Null when any value of the type is allowed.</summary>
    public NumberRange? Range { get; init; }

    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>A switch may stand on the command line without a value and then means <c>true</c>.</summary>
    public bool IsSwitch { get; init; }

    /// <summary>Whether <c>null</c> (or an empty value in YAML) is allowed and leaves the choice to the program.</summary>
    public bool MayBeNull { get; init; }

    /// <summary>False for options that name this one run, not a way to train: a recipe may not hold them.</summary>
    public bool InRecipes { get; init; } = true;

    /// <summary>The value as text, null when it is not set.</summary>
    public required Func<RunOptions, string?> Read { get; init; }

    /// <summary>The options with the value of that text (null = unset). Throws <see cref="FormatException"/> with a message that completes "must be …".</summary>
    public required Func<RunOptions, string?, RunOptions> Write { get; init; }

    /// <summary>Both spellings: <c>--weight-decay</c> and <c>--weight_decay</c>.</summary>
    public IReadOnlyList<string> Spellings
    {
        get
        {
            var underscored = "--" + Flag[2..].Replace('-', '_');
            return underscored == Flag ? [Flag] : [Flag, underscored];
        }
    }

    /// <summary>Shortest text that reads back as the same number.</summary>
    public static string Number(double value) => value.ToString("0.###############", CultureInfo.InvariantCulture) is { } plain
        && double.Parse(plain, CultureInfo.InvariantCulture) == value
            ? plain
            : value.ToString("R", CultureInfo.InvariantCulture);
}
