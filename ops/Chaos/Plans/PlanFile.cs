using System.Text;
using Cluster.Contracts;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cluster.Chaos;

/// <summary>
/// Plans as YAML: <c>faults:</c> with one row for each, either the text of <c>--fault</c> or
/// <c>{fault: slow, node: worker-1, step: 10, seconds: 2, factor: 10}</c>; <c>name:</c> may stand above.
/// </summary>
public static class PlanFile
{
    private const string FaultKey = "fault", NodeKey = "node", StepKey = "step", SecondsKey = "seconds";

    /// <exception cref="UserMistakeException">The file cannot be read, or a row of it: file, line, what is wrong.</exception>
    public static FaultPlan Read(string path, RunShape run)
    {
        string text;
        try
        {
            if (new FileInfo(path).Length > Limits.MaxPlanBytes) throw new UserMistakeException($"{path} is larger than {Limits.MaxPlanBytes >> 20} MiB: that is no plan of faults");
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot read the plan {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        return Parse(text, path, run);
    }

    /// <param name="shownAs">File name for messages, and the plan's name if it has none.</param>
    /// <exception cref="UserMistakeException">File, line, what is wrong.</exception>
    public static FaultPlan Parse(string text, string shownAs, RunShape run)
    {
        YamlStream stream;
        try
        {
            stream = YamlText.Load(text);
        }
        catch (YamlException e)
        {
            throw new UserMistakeException($"{shownAs} line {e.Start.Line}: not valid YAML: {(e.InnerException?.Message ?? e.Message).ReplaceLineEndings(" ").Trim()}", e);
        }
        var name = Path.GetFileNameWithoutExtension(shownAs);
        YamlSequenceNode? rows = null;
        switch (stream.Documents.Select(static d => d.RootNode).FirstOrDefault())
        {
            case null or YamlScalarNode { Value: null or "" }:
                break;
            case YamlSequenceNode list:
                rows = list;
                break;
            case YamlMappingNode root:
                foreach (var (key, value) in root.Children)
                {
                    switch (((key as YamlScalarNode)?.Value, value))
                    {
                        case ("faults", YamlSequenceNode list): rows = list; break;
                        case ("faults", YamlScalarNode { Value: null or "" }): break;
                        case ("faults", _): throw Mistake(shownAs, value, "faults is a list: write '- kill:worker-1@10' below it");
                        case ("name", YamlScalarNode { Value.Length: > 0 } scalar): name = scalar.Value.ReplaceLineEndings(" "); break;
                        default: throw Mistake(shownAs, key, $"unknown key {key}; a plan has 'name' and 'faults'");
                    }
                }
                break;
            case var other:
                throw Mistake(shownAs, other, "expected 'faults:' and a list below it");
        }
        var parsed = (rows?.Children ?? []).Select(row => (Row: row, Plan: Read(shownAs, row, run))).ToList();
        if (parsed.Count > Limits.MaxPlannedFaults) throw new UserMistakeException($"{shownAs}: {parsed.Count} faults are too many; give at most {Limits.MaxPlannedFaults}");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (row, plan) in parsed)
            if (!seen.Add(plan.Texts[0])) throw Mistake(shownAs, row, $"{plan.Texts[0]} is there twice; write it once");
        return FaultPlan.Of(name, parsed.SelectMany(static p => p.Plan.Faults), parsed.SelectMany(static p => p.Plan.RunFaults));
    }

    /// <summary>What <see cref="Read"/> reads back to the same plan.</summary>
    public static string Write(FaultPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var text = new StringBuilder();
        text.Append("# KIND:NODE@STEP[+SECONDS][,SETTING=N]; docs/fault-injection.md has all kinds.\n");
        foreach (var row in plan.LeftOut) text.Append("# left out: ").Append(row).Append('\n');
        text.Append("name: '").Append(plan.Name.Replace("'", "''", StringComparison.Ordinal)).Append("'\nfaults:\n");
        foreach (var fault in plan.Texts) text.Append("  - ").Append(fault).Append('\n');
        return text.ToString();
    }

    private static FaultPlan Read(string shownAs, YamlNode row, RunShape run)
    {
        try
        {
            return FaultPlan.Parse(run, row switch
            {
                YamlScalarNode { Value.Length: > 0 } text => text.Value,
                YamlMappingNode fields => TextOf(fields),
                _ => throw new UserMistakeException("write KIND:NODE@STEP, or {fault: KIND, node: NODE, step: STEP}"),
            });
        }
        catch (UserMistakeException e)
        {
            const string Flag = "--fault ";
            throw Mistake(shownAs, row, e.Message.StartsWith(Flag, StringComparison.Ordinal) ? e.Message[Flag.Length..] : e.Message);
        }
    }

    private static string TextOf(YamlMappingNode row)
    {
        var fields = row.Children.ToDictionary(
            static p => (p.Key as YamlScalarNode)?.Value ?? "",
            static p => p.Value is YamlScalarNode { Value.Length: > 0 } scalar ? scalar.Value : throw new UserMistakeException($"{p.Key} needs one value"),
            StringComparer.Ordinal);
        string Take(string key) => fields.Remove(key, out var value) ? value : throw new UserMistakeException($"a row needs '{FaultKey}', '{NodeKey}' and '{StepKey}'; '{key}' is missing");
        var text = new StringBuilder($"{Take(FaultKey)}:{Take(NodeKey)}@{Take(StepKey)}");
        if (fields.Remove(SecondsKey, out var seconds)) text.Append('+').Append(seconds);
        foreach (var (name, value) in fields) text.Append(',').Append(name).Append('=').Append(value);
        return text.ToString();
    }

    private static UserMistakeException Mistake(string shownAs, YamlNode at, string what) => new($"{shownAs} line {at.Start.Line}: {what}");
}
