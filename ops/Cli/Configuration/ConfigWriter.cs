using System.Text;
using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>Writes a resolved run as a recipe with every option in it, each with its origin as a comment.</summary>
public static class ConfigWriter
{
    /// <param name="facts">What the run noted about itself (number of samples, layout hash); readers of recipes skip it.</param>
    public static string Write(ResolvedRun run, IReadOnlyDictionary<string, string> facts)
    {
        var text = new StringBuilder();
        text.Append("# Every option of this run, and where its value came from. 'cluster train --recipe THIS_FILE' trains the same way again.\n");
        text.Append("recipe: ").Append(Quoted(run.Options.Recipe)).Append('\n');
        if (run.RecipeDescription.Length > 0) text.Append("description: ").Append(Quoted(run.RecipeDescription)).Append('\n');

        var rows = OptionTable.Rows.Where(row => row.InRecipes).ToList();
        foreach (var row in rows.Where(row => !row.Key.Contains('.'))) Line(text, run, row, row.Key, indent: "");
        foreach (var section in rows.Where(row => row.Key.Contains('.')).GroupBy(row => row.Key[..row.Key.IndexOf('.')]))
        {
            text.Append(section.Key).Append(":\n");
            foreach (var row in section) Line(text, run, row, row.Key[(section.Key.Length + 1)..], indent: "  ");
        }
        if (facts.Count > 0)
        {
            text.Append(RecipeReader.FactsKey).Append(":\n");
            foreach (var (key, value) in facts) text.Append("  ").Append(key).Append(": ").Append(Quoted(value)).Append('\n');
        }
        return text.ToString();
    }

    private static void Line(StringBuilder text, ResolvedRun run, OptionRow row, string name, string indent)
    {
        var value = row.Read(run.Options);
        var shown = value switch
        {
            null => "null",
            _ when row.ValueName == "X,X,X" => $"[{value}]",
            _ => Quoted(value),
        };
        var entry = $"{indent}{name}: {shown}";
        text.Append(entry.PadRight(36)).Append(" # ").Append(run.Origins[row.Key]).Append('\n');
    }

    /// <summary>Plain where YAML reads plain text back unchanged, else in double quotes.</summary>
    private static string Quoted(string value)
    {
        var plain = value.Length > 0 && value is not ("null" or "~") && !char.IsWhiteSpace(value[0]) && !char.IsWhiteSpace(value[^1])
            && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/' or '+' or ',' or ' ' or ':' or '(' or ')' or ';')
            && !value.Contains(": ", StringComparison.Ordinal) && value[^1] != ':' && (char.IsAsciiLetterOrDigit(value[0]) || value[0] is '/' or '.');
        if (plain) return value;
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                _ when char.IsControl(c) => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }
        return quoted.Append('"').ToString();
    }
}
