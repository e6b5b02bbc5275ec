using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>What a model's state is made of.</summary>
/// <param name="Parameters">Floats that are trained.</param>
/// <param name="Buffers">Floats of running statistics.</param>
public sealed record ModelSize(long Parameters, long Buffers)
{
    /// <summary>Length of the state vector: parameters up to a chunk's edge, then buffers (<see cref="ParameterLayout"/>).</summary>
    public long StateFloats => (Parameters + Limits.ChunkFloats - 1) / Limits.ChunkFloats * Limits.ChunkFloats + Buffers;
}

/// <summary>A model that <c>--model</c> accepts.</summary>
/// <param name="Cifar">With 3x32x32 images and 10 classes.</param>
/// <param name="ImageNet">With 3x224x224 images and 1000 classes; null where there is no such stem.</param>
/// <param name="Description">One line, without a full stop.</param>
public sealed record KnownModel(string Name, ModelSize Cifar, ModelSize? ImageNet, string Description)
{
    /// <summary>An estimate before the model is built, for the disk space that a run needs.</summary>
    public long StateFloats(RunOptions options)
    {
        var smallImages = KnownData.Of(options.Data) is { AnySize: false } || options.ImageSize is <= 64;
        var imageNet = options.Stem is { } stem ? stem == "imagenet" : !smallImages;
        return (imageNet ? ImageNet ?? Cifar : Cifar).StateFloats;
    }
}

/// <summary>The architectures by name; a test compares the table with the models.</summary>
internal static class KnownModels
{
    public static readonly IReadOnlyList<KnownModel> All =
    [
        new("small-cnn", new(427_168, 1_088), null, "six 3x3 convolutions with BatchNorm"),
        new("linear", new(30_730, 0), null, "one linear layer on the pixels: logistic regression, or least squares with --loss squared-error"),
        new("alexnet", new(7_506_762, 0), new(61_100_840, 0), "Krizhevsky 2014, five convolutions and three linear layers; CIFAR stem: 3x3 convolutions"),
        new("alexnet-lrn", new(7_506_762, 0), new(61_100_840, 0), "the same with the local response normalisation of Krizhevsky et al. 2012"),
        new("vgg11", new(9_750_922, 0), new(132_863_336, 0), "Simonyan and Zisserman 2015: 11 layers with weights"),
        new("vgg11_bn", new(9_756_426, 5_504), new(132_868_840, 5_504), "the same with BatchNorm"),
        new("vgg13", new(9_935_434, 0), new(133_047_848, 0), "Simonyan and Zisserman 2015: 13 layers with weights"),
        new("vgg13_bn", new(9_941_322, 5_888), new(133_053_736, 5_888), "the same with BatchNorm"),
        new("vgg16", new(15_245_130, 0), new(138_357_544, 0), "Simonyan and Zisserman 2015: 16 layers with weights"),
        new("vgg16_bn", new(15_253_578, 8_448), new(138_365_992, 8_448), "the same with BatchNorm"),
        new("vgg19", new(20_554_826, 0), new(143_667_240, 0), "Simonyan and Zisserman 2015: 19 layers with weights"),
        new("vgg19_bn", new(20_565_834, 11_008), new(143_678_248, 11_008), "the same with BatchNorm"),
        new("googlenet", new(9_952_958, 15_072), new(13_004_888, 15_072), "Szegedy et al. 2015, with BatchNorm and two auxiliary heads"),
        new("resnet20", new(269_722, 1_376), null, "He et al. 2015, section 4.2: the 20-layer network for CIFAR"),
        new("resnet32", new(464_154, 2_272), null, "He et al. 2015, section 4.2: the 32-layer network for CIFAR"),
        new("resnet44", new(658_586, 3_168), null, "He et al. 2015, section 4.2: the 44-layer network for CIFAR"),
        new("resnet56", new(853_018, 4_064), null, "He et al. 2015, section 4.2: the 56-layer network for CIFAR"),
        new("resnet110", new(1_727_962, 8_096), null, "He et al. 2015, section 4.2: the 110-layer network for CIFAR"),
        new("resnet18", new(11_173_962, 9_600), new(11_689_512, 9_600), "He et al. 2015: 18 layers"),
        new("resnet34", new(21_282_122, 17_024), new(21_797_672, 17_024), "He et al. 2015: 34 layers"),
        new("resnet50", new(23_520_842, 53_120), new(25_557_032, 53_120), "He et al. 2015: 50 layers with bottlenecks"),
        new("resnet101", new(42_512_970, 105_344), new(44_549_160, 105_344), "He et al. 2015: 101 layers with bottlenecks"),
        new("resnet152", new(58_156_618, 151_424), new(60_192_808, 151_424), "He et al. 2015: 152 layers with bottlenecks"),
        new("densenet121", new(6_956_298, 83_520), new(7_978_856, 83_648), "Huang et al. 2017: 121 layers, growth 32"),
        new("densenet-bc100-k12", new(769_162, 23_988), null, "Huang et al. 2017, section 4.2: the 100-layer network for CIFAR, growth 12"),
    ];
}
