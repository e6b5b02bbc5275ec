using Cluster.Architectures;
using Cluster.Contracts;
using Cluster.Engine;

namespace Cluster.Models.Tests;

/// <summary>That the masks enter a network as PyTorch's do is shown by the golden values of AlexNet, VGG and GoogLeNet.</summary>
public sealed class DropoutSpecs
{
    private static readonly GradientEngineOptions AlexNet = new() { Model = "alexnet", ClassCount = 10, Image = new ImageShape(3, 8, 8) };

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(0.999)]
    public void Mask_drops_the_share_that_is_asked_for_and_keeps_the_mean(double rate)
    {
        var mask = Mask(1, 1, 0, layer: 0, rate, 200_000);

        var kept = mask.Where(v => v != 0).ToList();
        Assert.All(kept, v => Assert.Equal((float)(1 / (1 - rate)), v));
        // Six standard errors.
        Assert.Equal(1 - rate, kept.Count / 200_000.0, 6 * Math.Sqrt(rate * (1 - rate) / 200_000));
    }

    [Fact]
    public void Mask_is_another_one_for_another_seed_step_leaf_or_layer()
    {
        float[][] masks = [Mask(1, 1, 0, 0), Mask(2, 1, 0, 0), Mask(1, 2, 0, 0), Mask(1, 1, 1, 0), Mask(1, 1, 0, 1), Mask(1, 1, 1, 1)];

        Assert.Equal(masks.Length, masks.Select(m => string.Join(",", m)).Distinct().Count());
        Assert.Equal(masks[0], Mask(1, 1, 0, 0));
    }

    [Fact]
    public void Leaf_has_its_own_mask_whatever_was_computed_before_and_evaluation_has_none()
    {
        using var problem = new Problem(AlexNet, count: 4);
        using var other = new Problem(AlexNet, count: 4);
        var predicted = problem.Predict();
        var first = Leaf(problem, step: 5, leaf: 2);

        Assert.NotEqual(first, Leaf(problem, step: 5, leaf: 3));
        Assert.NotEqual(first, Leaf(problem, step: 6, leaf: 2));
        Assert.Equal(first, Leaf(problem, step: 5, leaf: 2));
        Assert.Equal(first, Leaf(other, step: 5, leaf: 2));
        Assert.Equal(predicted, problem.Predict());
    }

    [Fact]
    public void Runs_rate_replaces_the_architectures_own()
    {
        using var without = new Problem(AlexNet with { Dropout = 0 }, count: 4);
        using var half = new Problem(AlexNet with { Dropout = 0.5 }, count: 4);
        using var own = new Problem(AlexNet, count: 4);

        Assert.Equal(Leaf(without, step: 5, leaf: 2), Leaf(without, step: 6, leaf: 3));
        Assert.Equal(Leaf(own, step: 5, leaf: 2), Leaf(half, step: 5, leaf: 2));
        Assert.Equal(0.25, GradientEngineOptions.For(new RunOptions { Dropout = 0.25 }, Problem.Cifar, 10, "cpu").Dropout);
    }

    private static float[] Mask(ulong seed, long step, int leaf, int layer, double rate = 0.5, int length = 64)
    {
        var key = new LeafKey();
        key.Set(seed, new StepId(step), leaf);
        var mask = new float[length];
        DropoutMask.Fill(mask, rate, key, layer);
        return mask;
    }

    private static float[] Leaf(Problem problem, long step, int leaf)
    {
        var node = new float[problem.Engine.Layout.StateFloats];
        problem.Engine.ComputeLeaf(problem.Batch, seed: 1, new StepId(step), leaf, node);
        return node;
    }
}
