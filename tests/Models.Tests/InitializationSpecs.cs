using Cluster.Architectures;
using Cluster.Contracts;
using Cluster.Engine;

namespace Cluster.Models.Tests;

public sealed class InitializationSpecs
{
    [Theory]
    [InlineData("small-cnn", 10, 32)]
    [InlineData("resnet18", 1000, 224)]
    [InlineData("googlenet", 1000, 224)]
    [InlineData("densenet121", 1000, 224)]
    public void Weights_spread_like_pytorchs_own(string model, int classes, int side)
    {
        var expected = GoldenCase.Read<Dictionary<string, Dictionary<string, double[]>>>("initial-deviations")[model];
        var (layout, state) = Initialized(model, classes, side, seed: 1);

        foreach (var entry in layout.Parameters.Where(e => e.Shape.Count > 1))
        {
            var values = state[entry.Offset..(entry.Offset + entry.Length)];
            var deviation = Math.Sqrt(values.Average(v => (double)v * v));
            var (pytorch, largest) = (expected[entry.Name][0], expected[entry.Name][1]);
            // Six standard errors of a sample deviation, on both sides: PyTorch's value is a sample too.
            Assert.Equal(pytorch, deviation, pytorch * 6 * Math.Sqrt(2 * 0.5 / entry.Length));
            Assert.Equal(0, values.Average(), pytorch * 6 / Math.Sqrt(entry.Length));
            // Uniform weights end at the bound that PyTorch's come close to; normal ones reach far beyond √3 deviations.
            if (largest < 1.75 * pytorch) Assert.InRange(values.Max(Math.Abs), 0.98 * largest, 1.02 * largest);
            else Assert.True(values.Max(Math.Abs) > 2.5 * deviation);
        }
    }

    [Fact]
    public void Norm_layers_start_as_the_identity_and_the_bias_of_a_linear_layer_is_bounded()
    {
        var (layout, state) = Initialized("resnet18", 10, 32, seed: 4);
        float[] Values(string name) => state[layout[name].Offset..(layout[name].Offset + layout[name].Length)];

        Assert.All(Values("layer2.0.downsample.1.weight"), v => Assert.Equal(1f, v));
        Assert.All(Values("bn1.bias"), v => Assert.Equal(0f, v));
        Assert.All(Values("bn1.running_mean"), v => Assert.Equal(0f, v));
        Assert.All(Values("bn1.running_var"), v => Assert.Equal(1f, v));
        Assert.All(Values("fc.bias"), v => Assert.InRange(v, -1 / Math.Sqrt(512), 1 / Math.Sqrt(512)));
        Assert.True(Values("fc.bias").Distinct().Count() == 10);
    }

    /// <summary>Without building half a gigabyte: the rule alone, on the shapes of a VGG.</summary>
    [Fact]
    public void Vgg_of_imagenet_starts_with_normal_weights_and_zero_biases()
    {
        var layout = ParameterLayout.Of(
        [
            ("features.0.weight", [64, 32, 3, 3], StateKind.Parameter, true), ("features.0.bias", [64], StateKind.Parameter, false),
            ("classifier.0.weight", [100, 200], StateKind.Parameter, true), ("classifier.0.bias", [100], StateKind.Parameter, false),
        ]);
        var state = new float[layout.StateFloats];

        WeightInitialization.Fill(layout, ModelCatalog.InitializationOf("vgg11", null, new ImageShape(3, 224, 224)), seed: 2, state);

        Assert.Equal(Math.Sqrt(2.0 / (64 * 9)), Deviation("features.0.weight"), 0.002);
        Assert.Equal(0.01, Deviation("classifier.0.weight"), 0.0003);
        Assert.Equal(0, Deviation("features.0.bias") + Deviation("classifier.0.bias"));

        double Deviation(string name) => Math.Sqrt(state.AsSpan(layout[name].Offset, layout[name].Length).ToArray().Average(v => (double)v * v));
    }

    [Fact]
    public void Small_vgg_keeps_pytorchs_linear_layers_and_zero_biases_of_convolutions()
    {
        var (layout, state) = Initialized("vgg11", 10, 32, seed: 4);
        float[] Values(string name) => state[layout[name].Offset..(layout[name].Offset + layout[name].Length)];

        Assert.All(Values("features.0.bias"), v => Assert.Equal(0f, v));
        Assert.InRange(Values("classifier.1.weight").Max(), 0.98 / Math.Sqrt(512), 1 / Math.Sqrt(512));
        Assert.NotEqual(0f, Values("classifier.1.bias")[0]);
    }

    [Fact]
    public void First_weights_are_a_function_of_the_seed()
    {
        var first = Initialized("resnet20", 10, 32, seed: 9).State;

        Assert.Equal(first, Initialized("resnet20", 10, 32, seed: 9).State);
        Assert.NotEqual(first, Initialized("resnet20", 10, 32, seed: 10).State);
    }

    [Fact]
    public void Decay_reaches_norms_and_biases_only_when_asked()
    {
        using var asked = new GradientEngine(Problem.SmallCnn with { DecayNormAndBias = true });
        using var usual = new GradientEngine(Problem.SmallCnn);

        Assert.All(asked.Layout.Parameters, e => Assert.True(e.Decays));
        Assert.False(usual.Layout["bn1.weight"].Decays);
        Assert.NotEqual(asked.Layout.Hash, usual.Layout.Hash);
    }

    private static (ParameterLayout Layout, float[] State) Initialized(string model, int classes, int side, ulong seed)
    {
        using var engine = new GradientEngine(new GradientEngineOptions { Model = model, ClassCount = classes, Image = new ImageShape(3, side, side) });
        var state = new float[engine.Layout.StateFloats];
        Array.Fill(state, float.NaN);
        engine.Initialize(seed, state);
        Assert.True(FiniteCheck.AllFinite(state), "Initialize left floats unwritten");
        return (engine.Layout, state);
    }
}
