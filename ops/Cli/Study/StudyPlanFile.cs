using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cluster.Cli.Study;

/// <summary>study.yaml: a plan as text that a person can read, and back.</summary>
internal static class StudyPlanFile
{
    public const string Name = "study.yaml";

    /// <summary>Of a hundred cells with every option; a plan is a fiftieth.</summary>
    private const long MaxBytes = 1 << 20;

    public static string Write(StudyPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var text = new StringBuilder("# What this study trains: decided once. 'cluster study' with this folder as --out goes on with it.\n");
        Line("study", plan.Study);
        Line("minutes", plan.Minutes is { } minutes ? OptionRow.Number(minutes) : null);
        Line("steps", plan.Steps.ToString(CultureInfo.InvariantCulture));
        Line("steps-per-epoch", plan.StepsPerEpoch.ToString(CultureInfo.InvariantCulture));
        Line("test-samples", plan.TestSamples.ToString(CultureInfo.InvariantCulture));
        Line("rate", plan.Rate is { } rate ? OptionRow.Number(rate) : null);
        Line("left-out", plan.LeftOut.IsEmpty ? null : string.Join(',', plan.LeftOut));
        text.Append("# Seconds, measured before the plan was made; never measured again.\nprobes:\n");
        foreach (var probe in plan.Probes)
        {
            text.Append($"  - model: {probe.Model}\n");
            foreach (var (key, value) in new[] { ("setup", probe.SetupSeconds), ("step", probe.StepSeconds), ("image", probe.ImageSeconds) })
                text.Append($"    {key}: {OptionRow.Number(value)}\n");
        }
        text.Append("# What all cells share.\noptions:\n");
        foreach (var row in Shared) text.Append($"  {row.Key}: {Scalar(row.Read(plan.Base))}\n");
        text.Append("# In the order in which they are trained, with what each sets beside.\ncells:\n");
        foreach (var cell in plan.Cells)
        {
            text.Append($"  - name: {cell.Name}\n    model: {cell.Model}\n    variant: {cell.Variant}\n    options:\n");
            foreach (var setting in cell.Settings) text.Append($"      {setting.Key}: {Scalar(setting.Value)}\n");
        }
        return text.ToString();

        void Line(string key, string? value) => text.Append($"{key}: {Scalar(value)}\n");
    }

    /// <exception cref="UserMistakeException">It cannot be read, or is no plan.</exception>
    public static StudyPlan Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes) throw new UserMistakeException($"{path} is larger than 1 MiB: that is no study");
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot read {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <param name="path">For messages.</param>
    public static StudyPlan Parse(string text, string path)
    {
        try
        {
            var stream = YamlText.Load(text);
            if (stream.Documents is not [{ RootNode: YamlMappingNode root }]) throw Damaged(path, "it is no list of keys");
            return new Reading(path).Plan(root);
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException)      // the scanner throws the latter for some broken texts
        {
            throw Damaged(path, e is YamlException at ? $"line {at.Start.Line} is not valid YAML" : "it is not valid YAML", e);
        }
    }

    /// <summary>The folder is not part of the plan: it may be moved.</summary>
    private static IEnumerable<OptionRow> Shared => OptionTable.Rows.Where(static row => row.InRecipes && row.Key is not ("steps" or "schedule.total-steps"));

    private static string Scalar(string? value) => value is null ? "null" : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static UserMistakeException Damaged(string path, string what, Exception? inner = null) =>
        new($"{path}: {what}; the file was changed by hand or is damaged, choose another folder", inner!);

    private sealed class Reading(string path)
    {
        public StudyPlan Plan(YamlMappingNode root)
        {
            var options = new RunOptions { Recipe = "study" };
            foreach (var (key, value) in Map(root, "options").Children) options = Written(options, Text(key)!, Text(value));
            var (minutes, rate) = (Optional(root, "minutes"), Optional(root, "rate"));
            return new StudyPlan(
                Required(root, "study"), minutes is null ? null : Real(minutes, "minutes"), Whole(root, "steps"), (int)Whole(root, "steps-per-epoch"), (int)Whole(root, "test-samples"), options,
                [.. List(root, "cells").Select(Cell)],
                Optional(root, "left-out")?.Split(',').ToImmutableArray() ?? [],
                [.. List(root, "probes").Select(probe => new StudyProbe(Required(probe, "model"), Real(probe, "setup"), Real(probe, "step"), Real(probe, "image")))])
            {
                Rate = rate is null ? null : Real(rate, "rate"),
            };
        }

        private StudyCell Cell(YamlMappingNode cell)
        {
            var settings = Map(cell, "options").Children.Select(pair => new CellSetting(Text(pair.Key)!, Text(pair.Value))).ToImmutableArray();
            var name = Required(cell, "name");
            if (name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
                throw Damaged(path, $"'{name}' is no name of a cell");
            foreach (var setting in settings) Written(new RunOptions(), setting.Key, setting.Value);
            return new StudyCell(name, Required(cell, "model"), Required(cell, "variant"), settings);
        }

        private RunOptions Written(RunOptions options, string key, string? value)
        {
            var row = OptionTable.ByKey(key) ?? throw Damaged(path, $"unknown option {key}");
            try
            {
                return row.Write(options, value);
            }
            catch (FormatException e)
            {
                throw Damaged(path, $"{key} {value} must be {e.Message}", e);
            }
        }

        private YamlMappingNode Map(YamlMappingNode node, string key) =>
            node.Children.TryGetValue(new YamlScalarNode(key), out var found) && found is YamlMappingNode map ? map : throw Damaged(path, $"{key} is missing");

        private List<YamlMappingNode> List(YamlMappingNode node, string key)
        {
            if (!node.Children.TryGetValue(new YamlScalarNode(key), out var found)) throw Damaged(path, $"{key} is missing");
            if (found is YamlScalarNode { Value: null or "" }) return [];
            return found is YamlSequenceNode list && list.Children.All(static item => item is YamlMappingNode) ? [.. list.Children.Cast<YamlMappingNode>()] : throw Damaged(path, $"{key} is no list");
        }

        private string Required(YamlMappingNode node, string key) => Optional(node, key) ?? throw Damaged(path, $"{key} is missing");

        private string? Optional(YamlMappingNode node, string key) => node.Children.TryGetValue(new YamlScalarNode(key), out var found) ? Text(found) : throw Damaged(path, $"{key} is missing");

        private string? Text(YamlNode node) => node switch
        {
            YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" } => null,
            YamlScalarNode scalar => scalar.Value,
            _ => throw Damaged(path, $"line {node.Start.Line} is not one value"),
        };

        private long Whole(YamlMappingNode node, string key) =>
            long.TryParse(Required(node, key), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= int.MaxValue ? value : throw Damaged(path, $"{key} is no whole number");

        private double Real(YamlMappingNode node, string key) => Real(Required(node, key), key);

        private double Real(string text, string key) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) && value >= 0 ? value : throw Damaged(path, $"{key} is no number");
    }
}
