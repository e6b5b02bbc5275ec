using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

/// <summary>Training whose end is known by a formula, run through the tree of leaves and the shards' updates.</summary>
public sealed class ClosedFormSpecs
{
    private const int Samples = 24, Features = 5, Targets = 27_000, Leaves = 4;

    /// <summary>Least squares for many targets at once, so that the weights fill three chunks: min 1/(2n)·‖X·Wᵀ − Y‖² + λ/2·‖W‖².</summary>
    private sealed class Regression
    {
        private readonly double[,] _x = new double[Samples, Features];
        private readonly float[] _y = ArithmeticFixtures.Floats(Samples * Targets, 8);

        public Regression()
        {
            var stream = new PhiloxStream(7, RandomPurpose.Fingerprint, 0);
            for (var i = 0; i < Samples; i++)
                for (var j = 0; j < Features; j++) _x[i, j] = stream.NextDouble() * 2 - 1;
            for (var i = 0; i < _y.Length; i++) _y[i] = Math.Clamp(_y[i], -1, 1);
        }

        /// <summary>XᵀX and XᵀY of the samples [from, to).</summary>
        public (double[,] Gram, double[] Moments) Sums(int from, int to)
        {
            var gram = new double[Features, Features];
            var moments = new double[Targets * Features];
            for (var i = from; i < to; i++)
            {
                for (var j = 0; j < Features; j++)
                {
                    for (var k = 0; k < Features; k++) gram[j, k] += _x[i, j] * _x[i, k];
                    for (var t = 0; t < Targets; t++) moments[t * Features + j] += _x[i, j] * _y[i * Targets + t];
                }
            }
            return (gram, moments);
        }
    }

    /// <summary>Σ over the leaf's samples of the gradient: W·XᵀX − YᵀX.</summary>
    private static void Gradient((double[,] Gram, double[] Moments) leaf, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        for (var t = 0; t < Targets; t++)
        {
            var row = weights.Slice(t * Features, Features);
            for (var j = 0; j < Features; j++)
            {
                var sum = -leaf.Moments[t * Features + j];
                for (var k = 0; k < Features; k++) sum += leaf.Gram[j, k] * row[k];
                gradient[t * Features + j] = (float)sum;
            }
        }
    }

    private static float[] Train(ParameterLayout layout, OptimizerOptions options, (double[,], double[])[] leaves, double rate, int steps, int shards)
    {
        float[] weights = new float[layout.StateFloats], next = new float[layout.StateFloats];
        var nodes = leaves.Select(_ => NativeBuffer.Allocate(layout.StateFloats)).ToArray();
        var program = ReductionProgram.OverLeaves(leaves.Length);
        var parts = ShardPlan.Deal(layout, shards).Ranges.Select(range => (Range: range, Update: new ShardUpdate(range, layout, UpdateRule.Create(options)), Reducer: new ShardReducer(range, layout))).ToArray();
        var slots = parts.Select(p => p.Update.Slots.Select(s => NativeBuffer.Allocate(s.Length)).ToArray()).ToArray();
        var summed = new float[layout.StateFloats];
        for (var step = 0; step < steps; step++)
        {
            for (var leaf = 0; leaf < leaves.Length; leaf++) Gradient(leaves[leaf], weights, nodes[leaf].Span);
            foreach (var (i, (range, update, reducer)) in parts.Index())
            {
                var sum = summed.AsSpan(range.Offset, range.Length);
                reducer.Reduce(program, [.. nodes.Select(n => new NodeMemory(n, range.Offset))], sum, new double[reducer.ParameterChunkCount]);
                update.Apply(sum, weights.AsSpan(range.Offset, range.Length), next.AsSpan(range.Offset, range.Length), slots[i], new ApplyArguments(Samples, leaves.Length, 1, rate, step));
            }
            (weights, next) = (next, weights);
        }
        foreach (var buffer in nodes.Concat(slots.SelectMany(static s => s))) buffer.Dispose();
        foreach (var (_, _, reducer) in parts) reducer.Dispose();
        return weights;
    }

    [Fact]
    public void Distributed_regression_with_l2_converges_to_the_ridge_solution_for_any_number_of_shards()
    {
        const double lambda = 0.1;
        var regression = new Regression();
        var leaves = Enumerable.Range(0, Leaves).Select(k => regression.Sums(k * Samples / Leaves, (k + 1) * Samples / Leaves)).ToArray();
        var layout = ParameterLayout.Of([("weight", [Targets, Features], StateKind.Parameter, true)]);
        var options = new OptimizerOptions { Momentum = 0.5, Nesterov = false, WeightDecay = lambda };
        var found = Train(layout, options, leaves, rate: 1.5, steps: 80, shards: 1);
        for (var shards = 2; shards <= 3; shards++)
            ArithmeticFixtures.SameBits(found, Train(layout, options, leaves, rate: 1.5, steps: 80, shards), $"{shards} shards");

        var (gram, moments) = regression.Sums(0, Samples);
        for (var j = 0; j < Features; j++) gram[j, j] += Samples * lambda;
        double error = 0, size = 0;
        for (var t = 0; t < Targets; t++)
        {
            var ridge = Solve(gram, moments.AsSpan(t * Features, Features));
            for (var j = 0; j < Features; j++)
            {
                error += Math.Pow(found[t * Features + j] - ridge[j], 2);
                size += ridge[j] * ridge[j];
            }
        }
        var relative = Math.Sqrt(error / size);
        Assert.True(relative <= 1e-6, $"relative distance to the ridge solution {relative:E2}");
    }

    /// <summary>The normal equations by elimination; the matrix is positive definite, so no pivots are needed.</summary>
    private static double[] Solve(double[,] matrix, ReadOnlySpan<double> right)
    {
        var (a, x) = ((double[,])matrix.Clone(), right.ToArray());
        for (var i = 0; i < Features; i++)
        {
            for (var row = i + 1; row < Features; row++)
            {
                var factor = a[row, i] / a[i, i];
                for (var column = i; column < Features; column++) a[row, column] -= factor * a[i, column];
                x[row] -= factor * x[i];
            }
        }
        for (var i = Features - 1; i >= 0; i--)
        {
            for (var column = i + 1; column < Features; column++) x[i] -= a[i, column] * x[column];
            x[i] /= a[i, i];
        }
        return x;
    }

    /// <summary>w ← γ·(w − β·(B·w − A)), the multiplier form of decay, is decoupled decay of δ at the rate γ·β.</summary>
    [Theory]
    [InlineData(0.99, 0.1)]
    [InlineData(0.9, 0.05)]
    [InlineData(0.999, 0.5)]
    public void Decay_as_a_multiplier_converges_to_a_over_b_plus_delta(double gamma, double beta)
    {
        const int count = 20;
        var delta = (1 - gamma) / (gamma * beta);
        var layout = ParameterLayout.Of([("weight", [count], StateKind.Parameter, true)]);
        var update = new ShardUpdate(ShardPlan.Deal(layout, 1).Ranges[0], layout, UpdateRule.Create(new OptimizerOptions { Momentum = 0, Penalty = "decoupled", WeightDecay = delta }));
        float[] summed = new float[layout.StateFloats], weights = new float[layout.StateFloats], next = new float[layout.StateFloats];
        var multiplied = new double[count];
        for (var step = 0; step < 2000; step++)
        {
            for (var i = 0; i < count; i++)
            {
                summed[i] = (float)(Samples * (B(i) * weights[i] - A(i)));
                multiplied[i] = gamma * (multiplied[i] - beta * (B(i) * multiplied[i] - A(i)));
            }
            update.Apply(summed, weights, next, [], new ApplyArguments(Samples, 1, 1, gamma * beta, step));
            (weights, next) = (next, weights);
            if (step == 3)
                for (var i = 0; i < count; i++) Assert.Equal(multiplied[i], weights[i], 1e-6);
        }
        for (var i = 0; i < count; i++) Assert.Equal(A(i) / (B(i) + delta), weights[i], 2e-6 * Math.Abs(A(i) / B(i)) + 1e-7);

        static double A(int i) => i - 8.5;
        static double B(int i) => 0.3 + 0.1 * i;
    }
}
