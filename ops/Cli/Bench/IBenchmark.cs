using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Bench;

/// <summary>One measurement of <c>cluster bench</c>: a sub-verb of its own.</summary>
internal interface IBenchmark
{
    /// <summary>The sub-verb.</summary>
    string Name { get; }

    /// <summary>One line.</summary>
    string Description { get; }

    /// <summary>What exactly is measured against what, for the help; lines of at most 120 characters.</summary>
    string Details => "";

    /// <summary>The flags that it takes, besides <c>--json</c>.</summary>
    IReadOnlyList<BenchmarkFlag> Flags => [];

    /// <summary>What holds where nothing is given.</summary>
    BenchmarkOptions Defaults => new();

    /// <param name="options">Checked; <see cref="Defaults"/> fill what was not given.</param>
    /// <exception cref="Contracts.UserMistakeException">Something that it needs is missing on this machine.</exception>
    /// <exception cref="BenchmarkException">A measured process failed.</exception>
    /// <exception cref="OperationCanceledException">After everything that was started has been stopped.</exception>
    Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop);
}

/// <summary>What a benchmark may be told. Each takes those that it lists in <see cref="IBenchmark.Flags"/>.</summary>
internal sealed record BenchmarkOptions
{
    /// <summary>Repetitions in which every side is measured once; the order turns round each time.</summary>
    public int Pairs { get; init; } = 5;

    /// <summary>Length of one measurement of one side.</summary>
    public double Seconds { get; init; } = 10;

    /// <summary>What one side does before the first step that counts.</summary>
    public double WarmUp { get; init; } = 5;

    /// <summary>Measured steps of one side; null lets <see cref="Seconds"/> decide.</summary>
    public int? Steps { get; init; }

    /// <summary>Names of the models, in the order in which they are measured.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>What is measured beside each other, by the benchmark's own names; empty = all.</summary>
    public IReadOnlyList<string> Sides { get; init; } = [];

    /// <summary>Processes, or workers, that compute at the same time.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Parameters of an update.</summary>
    public int Parameters { get; init; } = 11_200_000;

    /// <summary>Folder of images to decode; "" = none was named.</summary>
    public string Images { get; init; } = "";

    /// <summary>Generated files.</summary>
    public int Files { get; init; } = 100_000;

    /// <summary>Inputs in all.</summary>
    public long Cases { get; init; } = 100_000;

    /// <summary>What generated inputs follow from.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Number of the first input.</summary>
    public long First { get; init; }

    /// <summary>Faults that are struck.</summary>
    public int Faults { get; init; } = 10;

    /// <summary>Folder of certificates; "" = none was named.</summary>
    public string Tls { get; init; } = "";

    /// <summary>Gets a line whenever something is known; never the result.</summary>
    public Action<string> Progress { get; init; } = static _ => { };
}

/// <summary>One flag: its name, and how its text becomes an option.</summary>
/// <param name="Write">Throws a <see cref="FormatException"/> whose message completes "must be …".</param>
/// <param name="Read">The value as text; "" when nothing is set.</param>
internal sealed record BenchmarkFlag(
    string Name, string ValueName, string Meaning, Func<BenchmarkOptions, string, BenchmarkOptions> Write, Func<BenchmarkOptions, string> Read);

/// <summary>Every flag that a benchmark may list.</summary>
internal static class BenchmarkFlags
{
    public static readonly BenchmarkFlag Pairs = new("--pairs", "N", "Repetitions; in each, every side is measured once, and the order turns round.",
        (o, text) => o with { Pairs = Whole(text, 1, Contracts.Limits.MaxBenchmarkPairs) }, o => $"{o.Pairs}");

    public static readonly BenchmarkFlag Seconds = new("--seconds", "S", "Seconds that one measurement of one side takes, warm-up not counted.",
        (o, text) => o with { Seconds = Real(text, 0.1, Contracts.Limits.MaxBenchmarkSeconds) }, o => o.Seconds.ToString(CultureInfo.InvariantCulture));

    public static readonly BenchmarkFlag WarmUp = new("--warm-up", "S", "Seconds before the first step that counts.",
        (o, text) => o with { WarmUp = Real(text, 0, Contracts.Limits.MaxBenchmarkSeconds) }, o => o.WarmUp.ToString(CultureInfo.InvariantCulture));

    public static readonly BenchmarkFlag Steps = new("--steps", "N", "Steps of one measurement of one side, warm-up not counted; instead of --seconds.",
        (o, text) => o with { Steps = Whole(text, 1, Contracts.Limits.MaxBenchmarkSteps) }, o => o.Steps is { } steps ? $"{steps}" : "");

    public static readonly BenchmarkFlag Parameters = new("--parameters", "N", "Parameters of the model.",
        (o, text) => o with { Parameters = Whole(text, 1, Contracts.Limits.MaxBenchmarkParameters) }, o => $"{o.Parameters}");

    public static readonly BenchmarkFlag Workers = new("--workers", "N", "Processes, or workers, that compute at the same time; one per core is sensible.",
        (o, text) => o with { Workers = Whole(text, 1, Contracts.Limits.MaxWorkers) }, o => $"{o.Workers}");

    public static readonly BenchmarkFlag Images = new("--images", "DIR", "Folder of JPEGs, with the folders in it; needed.",
        (o, text) => Directory.Exists(text) ? o with { Images = text } : throw new FormatException("a folder that exists"), o => o.Images);

    public static readonly BenchmarkFlag Files = new("--files", "N", "Files that are generated.",
        (o, text) => o with { Files = Whole(text, 1, Contracts.Limits.MaxBenchmarkFiles) }, o => $"{o.Files}");

    public static readonly BenchmarkFlag Cases = new("--cases", "N", "Inputs in all.",
        (o, text) => o with { Cases = Whole(text, 1, Contracts.Limits.MaxBenchmarkCases) }, o => $"{o.Cases}");

    public static readonly BenchmarkFlag FuzzSeed = new("--seed", "N", "What the inputs follow from.",
        (o, text) => o with { Seed = (ulong)Whole(text, 0, int.MaxValue) }, o => $"{o.Seed}");

    public static readonly BenchmarkFlag First = new("--first", "N", "Number of the first input: to see one again.",
        (o, text) => o with { First = Whole(text, 0, Contracts.Limits.MaxBenchmarkCases) }, o => $"{o.First}");

    /// <param name="known">The names that the benchmark can measure.</param>
    public static BenchmarkFlag Models(IReadOnlyList<string> known) => new("--model", "NAME,…", $"Models to measure, of {string.Join(", ", known)}.",
        (o, text) => o with { Models = Names(text, known) }, o => string.Join(',', o.Models));

    /// <param name="known">The sides that the benchmark knows.</param>
    public static BenchmarkFlag Sides(IReadOnlyList<string> known) => new("--sides", "NAME,…", $"Sides to measure, of {string.Join(", ", known)}; unset: all.",
        (o, text) => o with { Sides = Names(text, known) }, o => string.Join(',', o.Sides));

    private static int Whole(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new FormatException($"a whole number from {least} to {most}");

    private static double Real(string text, double least, double most) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"));

    private static string[] Names(string text, IReadOnlyList<string> known)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray();
        foreach (var name in names.Where(name => !known.Contains(name)))
            throw new FormatException($"among {string.Join(", ", known)}{NearestName.Hint(name, [.. known])}");
        return names.Length > 0 ? names : throw new FormatException($"one or more of {string.Join(", ", known)}, separated by commas");
    }
}

/// <summary>A measured process failed, or did not say what was expected of it.</summary>
public sealed class BenchmarkException : Contracts.ClusterException
{
    public BenchmarkException(string message) : base(message) { }
    public BenchmarkException(string message, Exception inner) : base(message, inner) { }
    public BenchmarkException() { }
}
