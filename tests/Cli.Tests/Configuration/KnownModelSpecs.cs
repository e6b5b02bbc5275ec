using Cluster.Architectures;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Engine;

namespace Cluster.Cli.Tests.Configuration;

public sealed class KnownModelSpecs
{
    [Fact]
    public void Command_line_and_catalog_know_the_same_names_in_the_same_order()
    {
        Assert.Equal(ModelCatalog.Names, KnownNames.Models.Select(model => model.Name));
        Assert.All(KnownNames.Models, model => Assert.Equal(model.ImageNet is not null, ModelCatalog.StemsOf(model.Name).Contains("imagenet")));
    }

    [Theory]
    [MemberData(nameof(Small))]
    public void Sizes_in_the_table_are_those_of_the_model(string name)
    {
        var known = KnownNames.Model(name)!;
        Assert.Equal(known.Cifar, SizeOf(name, "cifar", 10, 32));
        // Above that, a model would take longer to allocate than all others together; Models.Tests counts them.
        if (known.ImageNet is { Parameters: < 30_000_000 } imageNet) Assert.Equal(imageNet, SizeOf(name, "imagenet", 1000, 224));
    }

    [Fact]
    public void Estimate_follows_the_stem_that_the_data_gets()
    {
        var vgg = KnownNames.Model("vgg11")!;
        Assert.Equal(vgg.Cifar.StateFloats, vgg.StateFloats(new RunOptions { Data = "cifar10" }));
        Assert.Equal(vgg.ImageNet!.StateFloats, vgg.StateFloats(new RunOptions { Data = "synthetic", Stem = "imagenet" }));
        Assert.Equal(vgg.ImageNet.StateFloats, vgg.StateFloats(new RunOptions { Data = "imagefolder:/images" }));
        Assert.Equal(vgg.Cifar.StateFloats, vgg.StateFloats(new RunOptions { Data = "imagefolder:/images", ImageSize = 64 }));
        Assert.Equal(vgg.ImageNet.StateFloats, vgg.StateFloats(new RunOptions { Data = "imagefolder:/images", ImageSize = 65 }));
        Assert.Equal(vgg.Cifar.StateFloats, vgg.StateFloats(new RunOptions { Data = "fashion-mnist:/images" }));
        Assert.Equal(0, vgg.StateFloats(new RunOptions { Data = "cifar10" }) % Limits.ChunkFloats);
    }

    public static TheoryData<string> Small() => [.. KnownNames.Models.Where(model => model.Cifar.Parameters < 30_000_000).Select(model => model.Name)];

    private static ModelSize SizeOf(string name, string stem, int classes, int side)
    {
        using var engine = new GradientEngine(
            new GradientEngineOptions { Model = name, Stem = stem, ClassCount = classes, Image = new ImageShape(3, side, side) });
        return new ModelSize(engine.Layout.ParameterFloats, engine.Layout.StateFloats - engine.Layout.BufferOffset);
    }
}
