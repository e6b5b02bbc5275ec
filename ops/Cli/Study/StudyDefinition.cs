using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>One value of the axis that a study goes along: a penalty, a form of momentum, a rule of clipping.</summary>
/// <param name="Name">As <c>--variants</c> and folders have it.</param>
/// <param name="Settings">Keys of the option table and their values, made from what all cells share: strengths come from there.</param>
/// <param name="Reason">Why these values: a sentence for the page and docs/study.md.</param>
internal sealed record StudyVariant(string Name, Func<RunOptions, IReadOnlyList<CellSetting>> Settings, string Reason);

/// <summary>An option that a cell sets.</summary>
/// <param name="Key">Of the option table.</param>
/// <param name="Value">Null = unset.</param>
internal sealed record CellSetting(string Key, string? Value);

/// <summary>A study: architectures times variants.</summary>
/// <param name="Axis">What the variants are, in one word: <c>penalty</c>.</param>
/// <param name="Title">Heading of the page.</param>
/// <param name="Variants">In the order in which they are trained. The first is the plain case; with the second it makes the comparison that always runs.</param>
/// <param name="Reserved">Rows that the cells set, so that nobody else may.</param>
/// <param name="Base">What all cells share unless the command line says otherwise.</param>
internal sealed record StudyDefinition(
    string Name, string Axis, string Title, IReadOnlyList<StudyVariant> Variants, IReadOnlyList<string> Reserved, RunOptions Base)
{
    /// <summary>Variants that always run, however short the time.</summary>
    public const int Required = 2;

    public StudyVariant? Variant(string name) => Variants.FirstOrDefault(variant => variant.Name == name);
}
