using Cluster.Architectures;
using Cluster.Contracts;
using TorchSharp;

namespace Cluster.Models.Tests;

/// <summary>Every name of the catalog, built but not run.</summary>
public sealed class CatalogSpecs
{
    private static readonly Dictionary<string, Dictionary<string, long[]>> Counts = GoldenCase.Read<Dictionary<string, Dictionary<string, long[]>>>("counts");

    public static TheoryData<string, string> Variants()
    {
        var variants = new TheoryData<string, string>();
        foreach (var (stem, models) in Counts)
        {
            foreach (var model in models.Keys)
            {
                // A VGG of ImageNet allocates half a gigabyte: one of each kind shows what the others share, the classifier.
                if (stem == "cifar" || !model.StartsWith("vgg", StringComparison.Ordinal) || model is "vgg11" or "vgg11_bn") variants.Add(model, stem);
            }
        }
        return variants;
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Model_has_as_many_parameters_and_buffers_as_torchvisions(string model, string stem)
    {
        var imageNet = stem == "imagenet";
        using var network = ModelCatalog.Create(model, stem, imageNet ? 1000 : 10, imageNet ? new ImageShape(3, 224, 224) : Problem.Cifar);

        long[] counted =
        [
            network.parameters().Sum(p => p.NumberOfElements),
            network.buffers().Where(b => b.dtype == torch.ScalarType.Float32).Sum(b => b.NumberOfElements),
            network.buffers().Count(b => b.dtype == torch.ScalarType.Int64),
        ];

        Assert.Equal(Counts[stem][model], counted);
    }

    [Fact]
    public void Every_name_is_counted_or_has_golden_values_of_its_own() =>
        Assert.Empty(ModelCatalog.Names.Except(Counts.Values.SelectMany(models => models.Keys)).Except(["small-cnn", "linear"]));
}
