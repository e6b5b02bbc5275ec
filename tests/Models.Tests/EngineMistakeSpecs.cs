using Cluster.Contracts;
using Cluster.Engine;
using TorchSharp;

namespace Cluster.Models.Tests;

/// <summary>What a user or a caller gets wrong, and the one line that says so.</summary>
public sealed class EngineMistakeSpecs
{
    [Theory]
    [InlineData("resnet19", "unknown model 'resnet19': did you mean 'resnet18'? known are small-cnn, linear, ")]
    [InlineData("SmallCNN", "unknown model 'SmallCNN': did you mean 'small-cnn'? known are small-cnn, linear, ")]
    [InlineData("transformer", "unknown model 'transformer': known are small-cnn, linear, ")]
    public void Unknown_model_is_refused_with_the_known_names(string model, string message) =>
        Assert.StartsWith(message, Refused(Problem.SmallCnn with { Model = model }), StringComparison.Ordinal);

    [Fact]
    public void Unknown_stem_is_refused_with_the_known_names() =>
        Assert.Equal("unknown stem 'imagnet': did you mean 'imagenet'? known are cifar, imagenet", Refused(Problem.SmallCnn with { Model = "resnet18", Stem = "imagnet" }));

    [Fact]
    public void Stem_that_the_model_lacks_is_refused() =>
        Assert.Equal("model 'small-cnn' has no stem 'imagenet', only cifar: leave --stem away", Refused(Problem.SmallCnn with { Stem = "imagenet" }));

    [Fact]
    public void Dropout_for_a_model_without_dropout_layers_is_refused() => Assert.Equal(
        "model 'small-cnn' has no dropout layer that --dropout 0.5 could set: leave --dropout away or choose another model",
        Refused(Problem.SmallCnn with { Dropout = 0.5 }));

    [Theory]
    [InlineData("alexnet", null, 7, 8)]
    [InlineData("alexnet", "imagenet", 62, 63)]
    [InlineData("vgg11_bn", null, 31, 32)]
    [InlineData("googlenet", null, 7, 8)]
    [InlineData("googlenet", "imagenet", 14, 15)]
    [InlineData("densenet121", null, 7, 8)]
    [InlineData("densenet121", "imagenet", 28, 29)]
    [InlineData("densenet-bc100-k12", null, 3, 4)]
    public void Smallest_images_are_computed_and_smaller_ones_refused(string model, string? stem, int tooSmall, int smallest)
    {
        var options = Problem.SmallCnn with { Model = model, Stem = stem, Image = new ImageShape(3, smallest, smallest) };
        Assert.Contains($"at least 1x{smallest}x{smallest}", Refused(options with { Image = new ImageShape(3, tooSmall, smallest) }), StringComparison.Ordinal);

        // Two samples: BatchNorm needs more than one value per channel where pooling leaves one pixel.
        using var problem = new Problem(options, count: 2);
        Assert.Null(problem.Leaf().Outcome.FirstBadParameter);
    }

    [Fact]
    public void Images_that_pooling_would_shrink_to_nothing_are_refused() =>
        Assert.Contains("images of at least 1x8x8, not 3x7x32", Refused(Problem.SmallCnn with { Image = new ImageShape(3, 7, 32) }), StringComparison.Ordinal);

    [Theory]
    [InlineData("gpu", "unknown device 'gpu': write cpu, or cuda:N for the GPU with number N")]
    [InlineData("cuda:x", "unknown device 'cuda:x': write cpu, or cuda:N for the GPU with number N")]
    public void Unknown_device_is_refused(string device, string message) => Assert.Equal(message, Refused(Problem.SmallCnn with { Device = device }));

    [Fact]
    public void Gpu_that_is_not_there_is_refused()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "this machine has a GPU");
        Assert.Contains("libtorch sees no CUDA GPU", Refused(Problem.SmallCnn with { Device = "cuda:0" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Zero_threads_are_refused() => Assert.Contains("--threads 0", Refused(Problem.SmallCnn with { Threads = 0 }), StringComparison.Ordinal);

    [Theory]
    [InlineData(10)]
    [InlineData(-1)]
    public void Label_that_is_no_class_is_refused(long label)
    {
        using var problem = Problem.WithSmallCnn(3);
        problem.Labels[2] = label;

        var error = Assert.Throws<ClusterException>(() => { problem.Leaf(); });

        Assert.Equal($"label {label} of sample 2 in the batch is no class of a model with 10 classes: check the data set", error.Message);
    }

    [Fact]
    public void Batch_of_another_shape_is_refused()
    {
        using var problem = Problem.WithSmallCnn(3);

        var error = Assert.Throws<ClusterException>(() =>
            problem.Engine.Predict(new ImageBatch(problem.Images, problem.Labels, new ImageShape(3, 16, 64)), new float[30]));

        Assert.Equal("the batch holds 3x16x64 images, the engine was built for 3x32x32", error.Message);
    }

    [Fact]
    public void Leaf_before_any_state_is_refused()
    {
        using var problem = Problem.WithSmallCnn(2);
        using var empty = new GradientEngine(Problem.SmallCnn);

        Assert.Throws<InvalidOperationException>(() => empty.ComputeLeaf(problem.Batch, 1, new StepId(1), 0, new float[empty.Layout.StateFloats]));
    }

    [Fact]
    public void State_of_another_length_is_refused()
    {
        using var problem = Problem.WithSmallCnn(2);

        Assert.Throws<ArgumentException>(() => problem.Engine.LoadState(problem.State.AsSpan(1)));
    }

    [Theory]
    [InlineData(32, "cifar")]
    [InlineData(64, "cifar")]
    [InlineData(65, "imagenet")]
    public void Stem_follows_the_size_of_the_images_when_none_is_asked_for(int side, string stem) =>
        Assert.Equal(stem, Architectures.ModelCatalog.ResolveStem("resnet18", null, new ImageShape(3, side, side)));

    private static string Refused(GradientEngineOptions options) =>
        Assert.Throws<UserMistakeException>(() => { new GradientEngine(options).Dispose(); }).Message;
}
