using Cluster.Contracts;
using Cluster.Engine;
using TorchSharp;

namespace Cluster.Models.Tests;

/// <summary>Names, shapes, logits, loss, gradients and running statistics against PyTorch's and torchvision's.</summary>
public sealed class GoldenSpecs
{
    private static readonly string[] Families =
    [
        "alexnet-cifar", "alexnet-lrn-cifar", "alexnet-imagenet", "vgg11_bn-cifar", "vgg16-cifar", "googlenet-cifar", "googlenet-imagenet",
        "resnet50-imagenet", "densenet121-imagenet", "densenet-bc100-k12", "linear",
    ];

    public static TheoryData<string> Networks() => [.. new[] { "small-cnn", "resnet20", "resnet18-cifar", "resnet18-imagenet" }, .. Families];

    public static TheoryData<string, string, bool> Cases()
    {
        var cases = new TheoryData<string, string, bool>();
        foreach (var device in new[] { "cpu", "cuda" })
        {
            foreach (var name in new[] { "small-cnn", "small-cnn-smoothed", "resnet20", "resnet18-cifar", "resnet18-imagenet" })
            {
                cases.Add(name, device, true);
                cases.Add(name, device, false);
            }
            foreach (var name in Families) cases.Add(name, device, true);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Engine_agrees_with_pytorch(string name, string device, bool channelsLast)
    {
        Assert.SkipUnless(device == "cpu" || torch.cuda.is_available(), "no CUDA GPU on this machine");
        var golden = GoldenCase.Load(name);
        using var problem = ProblemOf(golden, device, channelsLast);

        AssertClose(golden.EvaluationLogits, problem.Predict(), 1e-5 * golden.EvaluationLogits.Max(Math.Abs), "evaluation logits");

        // Other kernels round otherwise: three times as far as PyTorch's own float32 is still the same network.
        var relative = Math.Max(1e-4, 3 * golden.Float32Error);
        var (outcome, node) = problem.Leaf();
        Assert.Null(outcome.FirstBadParameter);
        Assert.Equal(golden.Loss, outcome.LossSum, 0.1 * relative * golden.Loss);
        Assert.Equal(golden.Correct, outcome.CorrectCount);
        var largest = golden.Parameters.Max(p => p.GradientNorm);
        foreach (var expected in golden.Parameters)
        {
            var gradient = Slice(node, problem.Engine.Layout[expected.Name]);
            // A bias in front of a BatchNorm has no gradient but what float64 rounded to: there ours is measured by the others'.
            var tolerance = expected.GradientNorm < 1e-12 * largest ? 1e-5 * largest : relative * expected.GradientNorm;
            Assert.Equal(expected.GradientNorm, Norm(gradient), tolerance);
            if (expected.Gradient is not null) AssertClose(expected.Gradient, Sampled(gradient, expected.Gradient.Length), tolerance, $"gradient of {expected.Name}");
        }
        foreach (var expected in golden.Buffers)
        {
            var buffer = Slice(node, problem.Engine.Layout[expected.Name]);
            Assert.Equal(expected.Norm, Norm(buffer), 1e-5 * expected.Norm);
            if (expected.Updated is not null) AssertClose(expected.Updated, Sampled(buffer, expected.Updated.Length), 1e-5 * expected.Norm, expected.Name);
        }
        Assert.True(node.AsSpan(problem.Engine.Layout.ParameterFloats..problem.Engine.Layout.BufferOffset).IndexOfAnyExcept(0f) < 0, "the padding is not zero");
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Layout_has_the_names_shapes_and_order_of_the_reference(string name)
    {
        var golden = GoldenCase.Load(name);
        using var problem = ProblemOf(golden, "cpu", channelsLast: true);
        var layout = problem.Engine.Layout;

        Assert.Equal(golden.ParameterCount, layout.ParameterFloats);
        Assert.Equal(golden.Parameters.Select(Described), layout.Parameters.Select(Described));
        Assert.Equal(golden.Buffers.Select(Described), layout.Buffers.Select(Described));
        Assert.Equal(golden.Counters, layout.Counters.Select(e => e.Name));
        Assert.All(layout.Parameters, e => Assert.Equal(e.Shape.Count > 1, e.Decays));
    }

    private static Problem ProblemOf(GoldenCase golden, string device, bool channelsLast) => new(
        new GradientEngineOptions
        {
            Model = golden.Model,
            Stem = golden.Stem,
            ClassCount = golden.Classes,
            Image = golden.ImageShape,
            Device = device,
            ChannelsLast = channelsLast,
            Loss = golden.Objective,
        },
        golden.Count, golden.Seed);

    private static string Described(GoldenTensor tensor) => $"{tensor.Name} [{string.Join(",", tensor.Shape)}]";

    private static string Described(StateEntry entry) => $"{entry.Name} [{string.Join(",", entry.Shape)}]";

    private static float[] Slice(float[] node, StateEntry entry) => node[entry.Offset..(entry.Offset + entry.Length)];

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(v => (double)v * v));

    private static float[] Sampled(float[] values, int count) =>
        [.. Enumerable.Range(0, count).Select(j => values[(int)((long)j * (values.Length - 1) / (count - 1))])];

    private static void AssertClose(double[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{what}, value {i}: expected {expected[i]:R}, got {actual[i]:R}, tolerance {tolerance:R}");
    }
}
