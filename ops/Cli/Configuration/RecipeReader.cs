using Cluster.Chaos;
using Cluster.Contracts;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cluster.Cli.Configuration;

/// <summary>Reads a recipe, or the config.yaml of an earlier run, which has the same form.</summary>
public static class RecipeReader
{
    /// <summary>Top-level keys that are not options: the recipe's name, a line about it, and what a run noted down about itself.</summary>
    private const string NameKey = "recipe";
    private const string DescriptionKey = "description";
    public const string FactsKey = "facts";

    /// <summary>Largest recipe: a thousand times a usual one.</summary>
    private const long MaxBytes = 1 << 20;

    private static readonly string[] Sections = [.. OptionTable.Rows.Where(row => row.Key.Contains('.')).Select(row => row.Key[..row.Key.IndexOf('.')]).Distinct()];

    /// <exception cref="UserMistakeException">The file cannot be read, or is not YAML; the line is named.</exception>
    public static Recipe ReadFile(string path, string shownAs)
    {
        string text;
        try
        {
            if (new FileInfo(path).Length > MaxBytes) throw new UserMistakeException($"{shownAs} is larger than 1 MiB: that is not a recipe.");
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot read the recipe {shownAs}: {e.Message}", e);
        }
        return Parse(text, shownAs, Path.GetFileNameWithoutExtension(path));
    }

    /// <summary>Reads a recipe from text. Mistakes inside valid YAML are collected, not thrown.</summary>
    /// <param name="shownAs">File name for messages.</param>
    /// <param name="fallbackName">Name of the recipe when the text has none.</param>
    /// <exception cref="UserMistakeException">The text is not YAML.</exception>
    public static Recipe Parse(string text, string shownAs, string fallbackName)
    {
        YamlStream stream;
        try
        {
            stream = YamlText.Load(text);
        }
        catch (YamlException e)
        {
            throw new UserMistakeException($"{shownAs} line {e.Start.Line}: not valid YAML: {OneLine(e.InnerException?.Message ?? e.Message)}", e);
        }

        if (stream.Documents.Count == 0) return new Recipe(fallbackName, "", [], []);
        if (stream.Documents.Count > 1) throw new UserMistakeException($"{shownAs} line {stream.Documents[1].RootNode.Start.Line}: a recipe is one YAML document, remove the second.");
        if (stream.Documents[0].RootNode is not YamlMappingNode root)
            throw new UserMistakeException($"{shownAs} line {stream.Documents[0].RootNode.Start.Line}: expected 'key: value' lines.");

        var reading = new Reading(shownAs);
        reading.TopLevel(root, fallbackName);
        return new Recipe(reading.Name, reading.Description, reading.Settings, reading.Mistakes);
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();

    private sealed class Reading(string shownAs)
    {
        public string Name { get; private set; } = "";
        public string Description { get; private set; } = "";
        public List<Setting> Settings { get; } = [];
        public List<string> Mistakes { get; } = [];

        public void TopLevel(YamlMappingNode root, string fallbackName)
        {
            Name = Header(root, NameKey) ?? fallbackName;
            Description = Header(root, DescriptionKey) ?? "";
            foreach (var (keyNode, value) in root.Children)
            {
                var key = KeyOf(keyNode);
                if (key is NameKey or DescriptionKey or FactsKey) continue;
                if (Sections.Contains(key) && value is YamlMappingNode section)
                {
                    foreach (var (innerKey, innerValue) in section.Children) Option($"{key}.{KeyOf(innerKey)}", innerKey, innerValue);
                }
                else if (Sections.Contains(key) && value is YamlScalarNode { Value: null or "" })
                {
                    // A heading with nothing below it says nothing.
                }
                else if (Sections.Contains(key))
                {
                    Mistake(keyNode, $"{key} holds options of its own: write them indented below it");
                }
                else
                {
                    Option(key, keyNode, value);
                }
            }
        }

        private static string KeyOf(YamlNode node) => (node as YamlScalarNode)?.Value?.Replace('_', '-') ?? node.ToString();

        private static string? Header(YamlMappingNode root, string key) =>
            root.Children.TryGetValue(new YamlScalarNode(key), out var node) && node is YamlScalarNode { Value.Length: > 0 } scalar ? OneLine(scalar.Value) : null;

        private void Option(string key, YamlNode keyNode, YamlNode value)
        {
            if (OptionTable.ByKey(key) is not { } row)
            {
                Mistake(keyNode, $"unknown key {key}{Suggestion(key)}");
                return;
            }
            if (!row.InRecipes)
            {
                Mistake(keyNode, $"{key} does not belong in a recipe: give {row.Flag} on the command line");
                return;
            }
            var text = value switch
            {
                YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" or "~" } => null,
                YamlScalarNode scalar => scalar.Value,
                YamlSequenceNode list when list.Children.All(item => item is YamlScalarNode) => string.Join(',', list.Children.Select(item => ((YamlScalarNode)item).Value)),
                _ => "",
            };
            if (text?.Length == 0)
            {
                Mistake(keyNode, $"{key} needs one value ({row.ValueName})");
                return;
            }
            Settings.Add(new Setting(row, text, $"{shownAs} line {keyNode.Start.Line}: {key} {text ?? "null"}", $"recipe {Name}"));
        }

        /// <summary>A key may be misspelt, or stand in the wrong section: <c>momentum</c> means optimizer.momentum.</summary>
        private static string Suggestion(string key)
        {
            var last = key[(key.LastIndexOf('.') + 1)..];
            var sameName = OptionTable.Rows.FirstOrDefault(row => row.Key.EndsWith("." + last, StringComparison.Ordinal) || row.Key == last || row.Flag == "--" + last);
            var nearest = sameName?.Key
                ?? NearestName.Of(key, OptionTable.Rows.Select(row => row.Key))
                ?? (NearestName.Of(last, OptionTable.Rows.Select(row => row.Key[(row.Key.LastIndexOf('.') + 1)..])) is { } inner
                    ? OptionTable.Rows.First(row => row.Key == inner || row.Key.EndsWith("." + inner, StringComparison.Ordinal)).Key
                    : null);
            return nearest is null ? "; docs/configuration.md lists all keys" : $"; did you mean {nearest}?";
        }

        private void Mistake(YamlNode at, string what) => Mistakes.Add($"{shownAs} line {at.Start.Line}: {what}");
    }
}
