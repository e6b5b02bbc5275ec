using System.Globalization;
using System.Numerics;
using Cluster.Chaos;
using Cluster.Contracts;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cluster.Cli.Configuration;

/// <summary>A run's config.yaml, read back.</summary>
/// <param name="Path">Of the file, for messages.</param>
/// <param name="Options">Every option as the run had it; <see cref="RunOptions.Out"/> is the folder in which the file lies now.</param>
/// <param name="Origins">Where each key got its value, as <see cref="ResolvedRun.Origins"/>.</param>
/// <param name="Description">The recipe's own line about itself; may be empty.</param>
/// <param name="Facts">What the run noted about itself, in the order of the file.</param>
public sealed record StoredRun(
    string Path, RunOptions Options, IReadOnlyDictionary<string, string> Origins, string Description, IReadOnlyDictionary<string, string> Facts)
{
    /// <summary>Of the training set; null when the run ended before it was known.</summary>
    public int? TrainingSamples => Number<int>("training-samples");

    public int? TestSamples => Number<int>("test-samples");

    /// <summary>Last step that the run was asked for.</summary>
    public long? TotalSteps => Number<long>("total-steps");

    /// <summary>How the order of the samples was laid out; uniform where the run does not say, as before there was another.</summary>
    /// <exception cref="UserMistakeException">The fact is there and is no layout.</exception>
    public OrderLayout SampleOrder
    {
        get
        {
            if (Fact(ConfigReader.SampleOrderFact) is not { } text) return OrderLayout.Uniform;
            return OrderLayout.TryParse(text, out var layout)
                ? layout
                : throw new UserMistakeException($"{Path}: {RecipeReader.FactsKey}.{ConfigReader.SampleOrderFact} is '{text}', not uniform or blocks-SAMPLES-window-BLOCKS; the file was changed by hand or is damaged");
        }
    }

    public string? RunId => Fact("run-id");

    public string? LayoutHash => Fact("layout-hash");

    public string? DataFingerprint => Fact("data-fingerprint");

    /// <summary>Of one seeded leaf through the model: equal on nodes whose arithmetic is equal.</summary>
    public string? NumericFingerprint => Fact("numeric-fingerprint");

    /// <summary>When the run began, in UTC.</summary>
    public DateTimeOffset? Started =>
        DateTimeOffset.TryParse(Fact("started"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var started) ? started : null;

    public string? Fact(string name) => Facts.GetValueOrDefault(name);

    /// <exception cref="UserMistakeException">The fact is there and is no such number.</exception>
    private T? Number<T>(string name) where T : struct, IBinaryInteger<T>
    {
        if (Fact(name) is not { } text) return null;
        return T.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > T.Zero
            ? value
            : throw new UserMistakeException($"{Path}: {RecipeReader.FactsKey}.{name} is '{text}', not a number of at least 1; the file was changed by hand or is damaged");
    }
}

/// <summary>Reads a run's config.yaml: every option, and the facts that recipes have none of.</summary>
public static class ConfigReader
{
    internal const string SampleOrderFact = "sample-order";

    /// <summary>Reads <c>config.yaml</c> of a run's folder, or the file itself.</summary>
    /// <param name="path">A folder or a file.</param>
    /// <exception cref="UserMistakeException">It is not there, cannot be read, or is no configuration; one line per mistake.</exception>
    public static StoredRun Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var file = Directory.Exists(path) ? Path.Combine(path, RunFolder.ConfigName) : path;
        if (!File.Exists(file))
        {
            throw new UserMistakeException(Directory.Exists(path)
                ? $"{path} is no run: it holds no {RunFolder.ConfigName}"
                : $"there is no run {path}: give the folder of a run, as 'cluster runs' lists them");
        }
        try
        {
            if (new FileInfo(file).Length == 0) throw new UserMistakeException($"{file} is empty: the run was killed before it had begun, start it again elsewhere");
            return Parse(RecipeReader.ReadFile(file, file), File.ReadAllText(file), file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot read {file}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static StoredRun Parse(Recipe recipe, string text, string file)
    {
        var mistakes = new List<string>(recipe.Mistakes);
        var options = new RunOptions { Recipe = recipe.Name };
        foreach (var setting in recipe.Settings)
        {
            try
            {
                options = setting.Row.Write(options, setting.Text);
            }
            catch (FormatException e)
            {
                mistakes.Add($"{setting.Place}: must be {e.Message}");
            }
        }
        var facts = FactsOf(text, file, mistakes);
        if (mistakes.Count > 0) throw new UserMistakeException(string.Join('\n', mistakes));
        var folder = Path.GetDirectoryName(Path.GetFullPath(file));
        return new StoredRun(file, options with { Out = folder }, OriginsOf(text), recipe.Description, facts);
    }

    private static Dictionary<string, string> FactsOf(string text, string file, List<string> mistakes)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal);
        var stream = YamlText.Load(text);     // valid YAML: the recipe reader has been through it
        if (stream.Documents is not [{ RootNode: YamlMappingNode root }] || !root.Children.TryGetValue(new YamlScalarNode(RecipeReader.FactsKey), out var node)) return facts;
        if (node is not YamlMappingNode mapping)
        {
            if (node is not YamlScalarNode { Value: null or "" }) mistakes.Add($"{file} line {node.Start.Line}: {RecipeReader.FactsKey} holds 'key: value' lines");
            return facts;
        }
        foreach (var (key, value) in mapping.Children)
        {
            if (key is YamlScalarNode { Value: { } name } && value is YamlScalarNode { Value: var fact }) facts[name] = fact ?? "";
            else mistakes.Add($"{file} line {key.Start.Line}: a fact is one text");
        }
        return facts;
    }

    /// <summary>From the comments, which YAML readers drop; a key without one has its value from the file.</summary>
    private static Dictionary<string, string> OriginsOf(string text)
    {
        var origins = OptionTable.Rows.ToDictionary(row => row.Key, _ => RunFolder.ConfigName);
        var section = "";
        foreach (var line in text.Split('\n'))
        {
            var colon = line.IndexOf(':');
            if (colon <= 0 || line[0] == '#') continue;
            if (!char.IsWhiteSpace(line[0])) section = line[..colon];
            var key = char.IsWhiteSpace(line[0]) ? $"{section}.{line[..colon].Trim()}" : line[..colon];
            // Values that ConfigWriter writes plain hold no '#', and quoted ones end with a quotation mark before the comment.
            var comment = line.LastIndexOf(" # ", StringComparison.Ordinal);
            if (comment > colon && origins.ContainsKey(key)) origins[key] = line[(comment + 3)..].TrimEnd('\r');
        }
        return origins;
    }
}
