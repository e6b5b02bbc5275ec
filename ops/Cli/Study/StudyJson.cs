using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Cli.Configuration;

namespace Cluster.Cli.Study;

/// <summary>study.json: the plan and everything that was measured, curves included.</summary>
internal static class StudyJson
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static byte[] Write(StudyState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var plan = state.Plan;
        return JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                plan.Study,
                plan.Minutes,
                plan.Steps,
                plan.StepsPerEpoch,
                plan.Epochs,
                TestSamples = plan.Evaluated,
                IsComplete = state.IsComplete,
                CellsDone = state.Done,
                CellsPlanned = plan.Cells.Length,
                plan.LeftOut,
                plan.Probes,
                Options = OptionTable.Rows.Where(static row => row.InRecipes).ToDictionary(static row => row.Key, row => row.Read(plan.Base)),
                Cells = state.Ended.Select(static ended => new
                {
                    ended.Cell.Model,
                    ended.Cell.Variant,
                    Settings = ended.Cell.Settings.ToDictionary(static s => s.Key, static s => s.Value),
                    ended.Outcome.Gap,
                    Outcome = ended.Outcome,
                }),
            },
            Format);
    }
}
