namespace Cluster.Cli.Configuration;

/// <summary>One value that somebody gave, and where.</summary>
/// <param name="Text">As written; null = explicitly unset.</param>
/// <param name="Place">For messages: <c>--momentum 2</c>, <c>recipes/x.yaml line 4: optimizer.momentum 2</c>.</param>
/// <param name="Origin">For config.yaml: <c>command line</c>, <c>recipe small-cnn</c>.</param>
public sealed record Setting(OptionRow Row, string? Text, string Place, string Origin);

/// <summary>A recipe file after reading: a name, a line about it, and its settings.</summary>
/// <param name="Mistakes">One line each; the settings hold what could be read.</param>
public sealed record Recipe(string Name, string Description, IReadOnlyList<Setting> Settings, IReadOnlyList<string> Mistakes);
