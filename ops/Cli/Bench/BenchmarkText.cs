using System.Globalization;
using System.Text;

namespace Cluster.Cli.Bench;

/// <summary>A benchmark's report as plain columns.</summary>
internal static class BenchmarkText
{
    private static readonly string[] Headings = ["", "unit", "n", "median", "min", "max", "bound"];

    public static string Write(BenchmarkReport report, MachineFacts machine, IReadOnlyDictionary<string, string> versions, DateTimeOffset date)
    {
        var text = new StringBuilder();
        text.Append(report.Title).Append('\n');
        text.Append(machine).Append('\n');
        text.Append(date.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        foreach (var (name, version) in versions) text.Append("; ").Append(name).Append(' ').Append(version);
        text.Append('\n');
        if (machine.WasBusy) text.Append("The machine was busy before this began: the figures are worth less than those of a quiet one.\n");
        foreach (var group in report.Figures.GroupBy(static figure => figure.Group))
        {
            text.Append('\n');
            Table(text, group.Key, [.. group.Select(Row)]);
        }
        if (report.Notes.Count > 0) text.Append('\n');
        foreach (var note in report.Notes) text.Append(note).Append('\n');
        return text.ToString();
    }

    private static string[] Row(Figure figure) =>
    [
        figure.Name,
        figure.Unit == "1" ? "ratio" : figure.Unit,
        figure.N.ToString(CultureInfo.InvariantCulture),
        Number(figure.Median, figure),
        Number(figure.Min, figure),
        Number(figure.Max, figure),
        figure.Bound is not { } bound ? "" : $"{(bound.IsLowest ? ">=" : "<=")} {Number(bound.Value, figure)} {(figure.IsMet == true ? "met" : "MISSED")}",
    ];

    /// <summary>Three decimals for ratios, else as many as give about four digits.</summary>
    private static string Number(double value, Figure figure)
    {
        var decimals = figure.Unit == "1" ? 3 : Math.Abs(figure.Median) switch { >= 1000 => 0, >= 100 => 1, >= 1 => 2, _ => 4 };
        return value.ToString($"F{decimals}", CultureInfo.InvariantCulture);
    }

    private static void Table(StringBuilder text, string heading, List<string[]> rows)
    {
        string[] headings = [heading, .. Headings.Skip(1)];
        if (rows.All(static row => row[^1].Length == 0)) headings[^1] = "";
        rows.Insert(0, headings);
        var widths = headings.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, column) => column is >= 2 and <= 5 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }
    }
}
