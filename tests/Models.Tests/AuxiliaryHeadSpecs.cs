using Cluster.Contracts;
using Cluster.Engine;

namespace Cluster.Models.Tests;

/// <summary>GoogLeNet's heads; that their loss and gradients are torchvision's is shown by the golden values.</summary>
public sealed class AuxiliaryHeadSpecs
{
    [Fact]
    public void Auxiliary_heads_add_their_weighted_loss_in_training_and_nothing_at_weight_zero()
    {
        var options = new GradientEngineOptions { Model = "googlenet", ClassCount = 10, Image = new ImageShape(3, 8, 8), Dropout = 0 };
        var (without, onlyMain) = Leaf(0);
        var (one, _) = Leaf(1);
        var (third, _) = Leaf(0.3);

        Assert.True(one > without);
        Assert.Equal(without + 0.3 * (one - without), third, 1e-4 * one);
        Assert.All(onlyMain, g => Assert.Equal(0f, g));

        (double Loss, float[] HeadGradient) Leaf(double weight)
        {
            using var problem = new Problem(options with { Loss = new LossOptions { AuxiliaryWeight = weight } }, count: 2);
            var (outcome, node) = problem.Leaf();
            var head = problem.Engine.Layout["aux1.fc2.weight"];
            return (outcome.LossSum, node[head.Offset..(head.Offset + head.Length)]);
        }
    }
}
