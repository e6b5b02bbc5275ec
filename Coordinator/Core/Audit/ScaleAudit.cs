using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core.Audit;

/// <summary>
/// Checks the factors of one record against the run's options. Clipping by the global norm is recomputed; other clipping
/// hangs on norms of single tensors, units or elements that no record has, but none of these is larger than the whole
/// gradient's, so its factor cannot be smaller than the whole gradient's would be.
/// </summary>
internal static class ScaleAudit
{
    /// <summary>Units and elements are compared in float32, of which the last bits differ; a bound is no equality.</summary>
    private const double Slack = 1e-6;

    /// <returns>What is wrong, as a sentence's end; null when nothing is.</returns>
    public static string? Check(CommitRecord record, OptimizerOptions options)
    {
        if (!record.Applied)
            return record.Scale != 1 ? $"clipping scale {Text(record.Scale)}, but a skipped step has 1"
                : record.TensorScales is not null ? "factors of single tensors, but a skipped step has none"
                : null;
        return CheckTensors(record, options) ?? CheckScale(record, options);
    }

    private static string? CheckTensors(CommitRecord record, OptimizerOptions options)
    {
        if (record.TensorScales is not { } tensors)
            return options.NeedsTensorSums() ? $"no factors of single tensors, which {RuleOf(options)} needs" : null;
        if (!options.NeedsTensorSums()) return "factors of single tensors, which no option of the run asks for";
        if (tensors.Count == 0) return "factors of no tensor";
        var atMost = options.Kind == "lars" ? double.MaxValue : 1;
        for (var i = 0; i < tensors.Count; i++)
            if (!(tensors[i] > 0 && tensors[i] <= atMost)) return $"the factor {Text(tensors[i])} of parameter {i}, which {RuleOf(options)} cannot give";
        return null;
    }

    private static string? CheckScale(CommitRecord record, OptimizerOptions options)
    {
        if (options.ClipParameterNorm > 0)
        {
            var smallest = record.TensorScales!.Min();
            return !SameBits(smallest, record.Scale) ? $"clipping scale {Text(record.Scale)}, but the smallest factor of a tensor is {Text(smallest)}"
                : Below(record, Clipping.Scale(record.GradNorm, options.ClipParameterNorm), $"clip-parameter-norm {Text(options.ClipParameterNorm)}");
        }
        if (options.ClipValue > 0) return Below(record, Clipping.Limit(options.ClipValue, record.GradNorm), $"clip-value {Text(options.ClipValue)}");
        // A unit's ratio is to weights that no record has: at least 1e-3.
        if (options.ClipAdaptive > 0) return Below(record, Clipping.Limit(options.ClipAdaptive, record.GradNorm / 1e-3), $"clip-adaptive {Text(options.ClipAdaptive)}");
        var scale = Clipping.Scale(record.GradNorm, options.ClipNorm);
        return SameBits(scale, record.Scale) ? null
            : $"clipping scale {Text(record.Scale)}, but the norm {Text(record.GradNorm)} with clip-norm {Text(options.ClipNorm)} gives {Text(scale)}";
    }

    private static string? Below(CommitRecord record, double least, string rule) =>
        record.Scale <= 1 && record.Scale >= least * (1 - Slack) ? null
        : $"clipping scale {Text(record.Scale)}, but the norm {Text(record.GradNorm)} with {rule} gives {Text(least)} to 1";

    private static string RuleOf(OptimizerOptions options) => options.Kind == "lars" ? "lars" : $"clip-parameter-norm {Text(options.ClipParameterNorm)}";

    private static bool SameBits(double a, double b) => BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b);

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
