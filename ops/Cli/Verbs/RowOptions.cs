using System.CommandLine;
using System.CommandLine.Parsing;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary>Rows of the option table as options of a verb: same names, values and messages as in <c>train</c>.</summary>
internal sealed class RowOptions
{
    private readonly Dictionary<Option<string>, OptionRow> _rows;

    /// <param name="command">Gets the options.</param>
    public RowOptions(Command command, IEnumerable<OptionRow> rows)
    {
        _rows = rows.ToDictionary(
            row => new Option<string>(row.Flag, [.. row.Spellings.Skip(1)]) { Arity = row.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne, Description = row.Description },
            row => row);
        foreach (var option in _rows.Keys) command.Options.Add(option);
    }

    /// <summary>What was given on the command line; a switch without a value means true.</summary>
    public List<Setting> Given(ParseResult parse)
    {
        var given = new List<Setting>();
        foreach (var (option, row) in _rows)
        {
            if (parse.GetResult(option) is not { Implicit: false } result || result.Errors.Any()) continue;
            var text = result.Tokens.Count == 0 ? "true" : result.Tokens[^1].Value;
            given.Add(new Setting(row, text, $"{row.Flag} {text}", RunResolver.FromCommandLine));
        }
        return given;
    }

    /// <summary>The options with what was given.</summary>
    /// <param name="broken">Gets the keys whose value is unusable.</param>
    /// <param name="mistakes">Gets one line for each.</param>
    public static RunOptions Apply(RunOptions options, IEnumerable<Setting> given, ISet<string> broken, ICollection<string> mistakes)
    {
        foreach (var setting in given)
        {
            try
            {
                options = setting.Row.Write(options, setting.Text);
            }
            catch (FormatException e)
            {
                mistakes.Add($"{setting.Place}: must be {e.Message}");
                broken.Add(setting.Row.Key);
            }
        }
        return options;
    }

    /// <summary>The single value of a plain option; null when it was not given, or given without one, which the parser reports.</summary>
    public static string? TextOf(ParseResult parse, Option<string> option) => parse.GetResult(option)?.Tokens is [{ Value: var text }] ? text : null;
}
