using Cluster.Chaos;

namespace Cluster.Cli.Charts;

/// <summary>A line, a set of bars or a set of dots of one colour.</summary>
/// <param name="Name">In the legend; as a person reads it, not escaped.</param>
/// <param name="Colour">Number of a colour of the palette, from 0; it wraps round.</param>
/// <param name="Points">In order of x for a line; what is not finite breaks it.</param>
internal sealed record ChartSeries(string Name, int Colour, IReadOnlyList<CurvePoint> Points)
{
    /// <summary>Drawn wide: what the chart is about.</summary>
    public bool IsMain { get; init; } = true;

    /// <summary>A line with a dot at each of its points.</summary>
    public bool HasDots { get; init; }

    /// <summary>Class of the style sheet.</summary>
    public string Style => StyleOf(Colour);

    public static string StyleOf(int colour) => $"c{colour % ChartPage.Colours}";
}

/// <summary>An axis with what its labels say.</summary>
/// <param name="Title">What is drawn, with its unit.</param>
/// <param name="Format">Of a tick: a .NET number format.</param>
internal sealed record ChartAxis(string Title, string Format = "0.####")
{
    public bool IsLogarithmic { get; init; }

    /// <summary>Where the axis must begin and end; null = around the values.</summary>
    public Axis? Fixed { get; init; }

    /// <summary>The axis over these values.</summary>
    public Axis Over(IEnumerable<double> values) => Fixed ?? (IsLogarithmic ? Axis.Logarithmic(values) : Axis.Around(values));
}
