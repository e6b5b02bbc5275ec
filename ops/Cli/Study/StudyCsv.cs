using System.Globalization;
using System.Text;

namespace Cluster.Cli.Study;

/// <summary>study.csv: a row per cell that has ended, in the plan's order. Only the last column differs between two studies of one plan.</summary>
internal static class StudyCsv
{
    public static string Write(StudyState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var axis = Studies.Of(state.Plan.Study)?.Axis ?? "variant";
        var text = new StringBuilder($"model,{axis},steps,epochs,train_loss,train_accuracy,test_loss,test_accuracy,test_samples,gap,weight_norm,gradient_norm,clipped_share,state,seconds\n");
        foreach (var (cell, outcome) in state.Ended)
        {
            text.AppendJoin(',',
                cell.Model, cell.Variant, outcome.Steps.ToString(CultureInfo.InvariantCulture), Number((double)outcome.Steps / state.Plan.StepsPerEpoch),
                Number(outcome.TrainLoss), Number(outcome.TrainAccuracy), Number(outcome.TestLoss), Number(outcome.TestAccuracy), outcome.TestSamples.ToString(CultureInfo.InvariantCulture),
                Number(outcome.Gap), Number(outcome.WeightNorm), Number(outcome.GradientNorm), Number(outcome.ClippedShare), outcome.Failure is null ? "done" : "diverged", Number(outcome.Seconds)).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>Shortest text that reads back to the same bits; nothing where there is no number.</summary>
    private static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";
}
