using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>How sums over pieces make up tensors.</summary>
/// <param name="ParameterOf">Per piece in offset order (<see cref="ParameterLayout.Pieces"/>), the index of its parameter.</param>
/// <param name="HasRows">Per parameter: more than one dimension.</param>
/// <param name="Decay">Per parameter, the λ of its L2 penalty; 0 = none.</param>
public sealed record TensorPieces(ImmutableArray<int> ParameterOf, ImmutableArray<bool> HasRows, ImmutableArray<double> Decay)
{
    /// <param name="trainingSamples">Size of the training set: the n of λ/n.</param>
    /// <exception cref="UserMistakeException">A parameter group matches nothing.</exception>
    public static TensorPieces Of(ParameterLayout layout, OptimizerOptions options, int trainingSamples)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(options);
        var groups = ParameterGroups.Parse(options.Groups);
        groups.RefuseUnmatched(layout);
        return new TensorPieces(
            [.. layout.Pieces.Select(static p => p.Parameter)],
            [.. layout.Parameters.Select(static p => p.Shape.Count > 1)],
            [.. layout.Parameters.Select(p => Penalty.Of(options, groups, p, trainingSamples).L2)]);
    }
}

/// <summary>
/// What the coordinator makes of the sizes that the shards report: the factors in a step's record. Pure. Sums are added in
/// piece order, which is the state's, so the factors have the same bits for any number of shards.
/// </summary>
/// <remarks>
/// Only the global norm's factor and those per tensor are applied as they stand in the record; clipping by value and
/// adaptive clipping is the shards' own, element by element and unit by unit, and the record's scale says how far it went.
/// </remarks>
public sealed class StepScaling
{
    private readonly OptimizerOptions _options;
    private readonly TensorPieces? _tensors;

    private StepScaling(OptimizerOptions options, TensorPieces? tensors) => (_options, _tensors) = (options, tensors);

    /// <summary>Nothing is clipped, and no tensor has a rate of its own.</summary>
    public static StepScaling Off { get; } = new(new OptimizerOptions(), null);

    /// <summary>Clipping by the global norm; 0 = off.</summary>
    public static StepScaling ByNorm(double clipNorm) => new(new OptimizerOptions { ClipNorm = clipNorm }, null);

    /// <summary>What the run's options want.</summary>
    /// <param name="trainingSamples">Size of the training set.</param>
    /// <exception cref="UserMistakeException">Two ways of clipping, or LARS with one that it cannot take into account.</exception>
    public static StepScaling Of(OptimizerOptions options, ParameterLayout layout, int trainingSamples) =>
        Of(options, TensorPieces.Of(layout, options, trainingSamples));

    /// <inheritdoc cref="Of(OptimizerOptions, ParameterLayout, int)"/>
    public static StepScaling Of(OptimizerOptions options, TensorPieces tensors)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (MistakeIn(options) is { } mistake) throw new UserMistakeException(mistake);
        return new StepScaling(options, options.NeedsTensorSums() ? tensors : null);
    }

    /// <summary>Gradients are clipped in some way: a scale below 1 means that a step was.</summary>
    public bool Clips => _options.ClipNorm > 0 || _options.ClipParameterNorm > 0 || _options.ClipValue > 0 || _options.ClipAdaptive > 0;

    /// <summary>What contradicts itself in the options for clipping, as a sentence; null when nothing does.</summary>
    public static string? MistakeIn(OptimizerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string[] on =
        [
            .. new[] { ("--clip-norm", options.ClipNorm), ("--clip-parameter-norm", options.ClipParameterNorm), ("--clip-value", options.ClipValue), ("--clip-adaptive", options.ClipAdaptive) }
                .Where(static c => c.Item2 > 0).Select(static c => c.Item1),
        ];
        if (on.Length > 1) return $"{string.Join(" and ", on)}: a gradient is clipped in one way only; keep one of them";
        return options.Kind == "lars" && on.Length == 1 && options.ClipNorm == 0
            ? $"{on[0]} with --optimizer lars: its rates are made from norms before such clipping; use --clip-norm, or none"
            : null;
    }

    /// <summary>The factors of one step.</summary>
    /// <param name="norm">Of the mean gradient; finite.</param>
    /// <param name="samples">n.</param>
    /// <param name="reduced">Of all shards, in shard order.</param>
    /// <returns>What <see cref="CommitRecord.Scale"/> and <see cref="CommitRecord.TensorScales"/> say.</returns>
    /// <exception cref="StepProtocolException">The shards' sums are not those of the layout's pieces.</exception>
    public (double Scale, IReadOnlyList<double>? Tensors) Of(double norm, int samples, IReadOnlyList<ShardReduced?> reduced)
    {
        ArgumentNullException.ThrowIfNull(reduced);
        if (_options.ClipValue > 0) return (Clipping.Limit(_options.ClipValue, Extreme(reduced) / samples), null);
        if (_options.ClipAdaptive > 0) return (Clipping.Limit(_options.ClipAdaptive, Extreme(reduced) / samples), null);
        var scale = Clipping.Scale(norm, _options.ClipNorm);
        if (_tensors is not { } tensors) return (scale, null);
        var gradients = Norms(tensors, reduced, second: false);
        if (_options.ClipParameterNorm > 0)
        {
            double[] factors = [.. gradients.Select(g => Clipping.Scale(g / samples, _options.ClipParameterNorm))];
            return (factors.Min(), factors);
        }
        var weights = Norms(tensors, reduced, second: true);
        return (scale, [.. gradients.Select((g, i) => LarsRate(g / samples * scale, weights[i], tensors.HasRows[i], tensors.Decay[i]))]);
    }

    /// <summary>
    /// LARS (You, Gitman and Ginsburg, 2017, equation 6): η·‖w‖ / (‖g‖ + λ·‖w‖). 1 where a norm is 0, and for tensors of one
    /// dimension, which the paper does not mention: its authors' code and those after it leave biases and norm layers out.
    /// </summary>
    private double LarsRate(double gradient, double weights, bool hasRows, double decay) =>
        !hasRows || gradient == 0 || weights == 0 ? 1 : _options.TrustCoefficient * weights / (gradient + decay * weights);

    private static double Extreme(IReadOnlyList<ShardReduced?> reduced) => reduced.Max(static r => r!.Extreme);

    /// <summary>Norm per parameter of the summed gradients, or of the weights (the second half of what the shards say).</summary>
    private double[] Norms(TensorPieces tensors, IReadOnlyList<ShardReduced?> reduced, bool second)
    {
        var sums = new double[tensors.HasRows.Length];
        var piece = 0;
        foreach (var shard in reduced)
        {
            var said = shard!.PieceSums ?? [];
            var count = PieceSums.WithWeights(_options) ? said.Count / 2 : said.Count;
            for (var i = 0; i < count && piece < tensors.ParameterOf.Length; i++) sums[tensors.ParameterOf[piece++]] += said[second ? count + i : i];
        }
        if (piece != tensors.ParameterOf.Length || reduced.Sum(static r => r!.PieceSums?.Count ?? 0) != piece * (PieceSums.WithWeights(_options) ? 2 : 1))
            throw new StepProtocolException($"the shards reported {reduced.Sum(static r => r!.PieceSums?.Count ?? 0)} sums for {tensors.ParameterOf.Length} pieces of parameters");
        return [.. sums.Select(Math.Sqrt)];
    }
}
