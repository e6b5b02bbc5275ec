using System.Globalization;
using System.Text;
using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>lr-find.csv and lr-find.json.</summary>
internal static class RangeFiles
{
    public const string CsvName = "lr-find.csv", JsonName = "lr-find.json", PageName = "lr-find.html";

    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>A row per step.</summary>
    public static string Csv(RangeTest test)
    {
        ArgumentNullException.ThrowIfNull(test);
        var text = new StringBuilder("step,lr,loss,smoothed_loss\n");
        foreach (var point in test.Points) text.AppendJoin(',', point.Step.ToString(CultureInfo.InvariantCulture), Number(point.Rate), Number(point.Loss), Number(point.Smoothed)).Append('\n');
        return text.ToString();
    }

    /// <summary>The result, and the options that it holds for.</summary>
    public static byte[] Json(RangeTest test, RunOptions options)
    {
        ArgumentNullException.ThrowIfNull(test);
        return JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                test.Suggestion,
                Verdict = test.Verdict.ToString(),
                test.Sentence,
                test.HasDiverged,
                Steps = test.Points.Length,
                Lowest = Named(test.Lowest),
                Steepest = Named(test.Steepest),
                Options = OptionTable.Rows.Where(static row => row.InRecipes).ToDictionary(static row => row.Key, row => row.Read(options)),
            },
            Format);
    }

    private static object? Named(RangePoint? point) => point is { } p ? new { p.Step, Lr = p.Rate, Loss = p.Smoothed } : null;

    /// <summary>Shortest text that reads back to the same bits.</summary>
    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
