namespace Cluster.Cli.Bench;

/// <summary>What a benchmark found.</summary>
/// <param name="Benchmark">Its sub-verb.</param>
/// <param name="Title">What was measured, in one line.</param>
/// <param name="Figures">In the order in which they are shown; those of one group follow each other.</param>
internal sealed record BenchmarkReport(string Benchmark, string Title, IReadOnlyList<Figure> Figures)
{
    /// <summary>What a reader must know to judge the figures: one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Something happened that must not, whatever the machine: the exit code is 1. A figure that misses its bound is only shown.</summary>
    public bool Failed { get; init; }

    /// <summary>Versions of what was measured besides this program, by name.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();
}

/// <summary>One measured quantity.</summary>
/// <param name="Group">Heading that it stands under, such as a model; "" = none.</param>
/// <param name="Unit">UCUM, or a word such as images/s; "1" for a ratio.</param>
/// <param name="Values">In the order in which they were measured; at least one.</param>
internal sealed record Figure(string Group, string Name, string Unit, IReadOnlyList<double> Values)
{
    /// <summary>The bound that the median should keep; null = none is set.</summary>
    public Bound? Bound { get; init; }

    public int N => Values.Count;
    public double Median { get; } = MedianOf(Values);
    public double Min => Values.Min();
    public double Max => Values.Max();

    /// <summary>Null without a bound.</summary>
    public bool? IsMet => Bound?.Holds(Median);

    /// <summary>Quotients of what was measured in the same pair; their median is not the quotient of the medians.</summary>
    /// <exception cref="ArgumentException">The figures differ in length.</exception>
    public static Figure Ratio(string group, string name, Figure of, Figure over)
    {
        if (of.N != over.N) throw new ArgumentException($"{of.N} values of {of.Name} cannot be paired with {over.N} of {over.Name}");
        return new Figure(group, name, "1", [.. of.Values.Zip(over.Values, static (a, b) => a / b)]);
    }

    private static double MedianOf(IReadOnlyList<double> values)
    {
        if (values.Count == 0) throw new ArgumentException("a figure needs at least one value");
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

/// <summary>What a figure should keep.</summary>
/// <param name="IsLowest">True: at least <paramref name="Value"/>; false: at most.</param>
internal sealed record Bound(bool IsLowest, double Value)
{
    public static Bound AtLeast(double value) => new(true, value);
    public static Bound AtMost(double value) => new(false, value);

    public bool Holds(double value) => IsLowest ? value >= Value : value <= Value;
}
