using System.Globalization;
using System.Text;

namespace Cluster.Chaos;

/// <summary>All kinds of faults as the table of docs/fault-injection.md; a test compares them.</summary>
public static class FaultTable
{
    /// <returns>Lines of Markdown, each with its newline.</returns>
    public static string Markdown()
    {
        var text = new StringBuilder("| Kind | Strikes | Seconds | Settings | What happens |\n|---|---|---|---|---|\n");
        foreach (var kind in FaultKinds.All)
        {
            var settings = string.Join(", ", kind.Settings.Select(static s => $"`{s.Name}` = {Number(s.Default)} ({s.Meaning}, {Number(s.Least)} to {Number(s.Most)})"));
            text.Append($"| `{kind.Word}` | {string.Join(", ", kind.Roles)} | {(kind.Seconds is { } seconds ? Number(seconds) : "")} | {settings} | {kind.Meaning} |\n");
        }
        foreach (var (word, victim, meaning) in RunFault.Table) text.Append($"| `{word}` | {victim} | | | {meaning} |\n");
        return text.ToString();
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
