using Cluster.Contracts;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>How a family draws the first weights of its convolutions.</summary>
public enum ConvolutionInitialization
{
    /// <summary>torch.nn.Conv2d's default: kaiming_uniform with a = √5, that is uniform in ±1/√fan_in.</summary>
    PyTorchDefault,

    /// <summary>torchvision's ResNets: kaiming_normal, mode fan_out, gain of ReLU (He et al., 2015, arXiv:1502.01852).</summary>
    KaimingNormalFanOut,
}

/// <summary>Every architecture by name: the one place that a new family has to be entered.</summary>
public static class ModelCatalog
{
    /// <summary>Largest image side that gets the CIFAR stem when none is asked for.</summary>
    public const int LargestCifarSide = 64;

    private const string Cifar = "cifar", ImageNet = "imagenet";

    private delegate nn.Module<Tensor, Tensor> Builder(bool imageNetStem, int classes, int channels);

    private sealed record Family(string Name, string[] Stems, int SmallestSide, ConvolutionInitialization Initialization, Builder Build);

    private static readonly Family[] Families =
    [
        new("small-cnn", [Cifar], SmallCnn.SmallestSide, ConvolutionInitialization.PyTorchDefault, static (_, classes, channels) => new SmallCnn(channels, classes)),
        new("resnet20", [Cifar], 1, ConvolutionInitialization.KaimingNormalFanOut, static (_, classes, channels) => new CifarResNet(3, channels, classes)),
        new("resnet18", [Cifar, ImageNet], 1, ConvolutionInitialization.KaimingNormalFanOut,
            static (imageNet, classes, channels) => new ResNet([2, 2, 2, 2], channels, classes, imageNet)),
    ];

    /// <summary>Names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Families.Select(static f => f.Name)];

    /// <summary>Names of stems; not every model has each.</summary>
    public static IReadOnlyList<string> Stems { get; } = [Cifar, ImageNet];

    /// <summary>Builds a model on the CPU. Its weights are whatever libtorch left there: the engine loads or draws them. The caller disposes.</summary>
    /// <param name="model">One of <see cref="Names"/>.</param>
    /// <param name="stem">One of <see cref="Stems"/>, or null: CIFAR for images of at most <see cref="LargestCifarSide"/> pixels, or where the model has no other.</param>
    /// <param name="classes">Width of the logits.</param>
    /// <param name="image">Shape of the samples.</param>
    /// <returns>A module from [N, channels, H, W] float32 to logits [N, classes].</returns>
    /// <exception cref="UserMistakeException">Unknown model or stem, a stem that the model lacks, no class, or images that are too small.</exception>
    public static nn.Module<Tensor, Tensor> Create(string model, string? stem, int classes, ImageShape image)
    {
        var family = Find(model);
        var resolved = ResolveStem(family, stem, image);
        if (classes < 1) throw new UserMistakeException($"model '{model}' needs at least 1 class, not {classes}: check the data set's labels");
        if (image.Channels < 1 || Math.Min(image.Height, image.Width) < family.SmallestSide)
            throw new UserMistakeException($"model '{model}' needs images of at least 1x{family.SmallestSide}x{family.SmallestSide}, not {image}: choose other data or another model");
        return family.Build(resolved == ImageNet, classes, image.Channels);
    }

    /// <summary>The stem that <see cref="Create"/> uses.</summary>
    /// <exception cref="UserMistakeException">As in <see cref="Create"/>.</exception>
    public static string ResolveStem(string model, string? stem, ImageShape image) => ResolveStem(Find(model), stem, image);

    /// <exception cref="UserMistakeException">Unknown model.</exception>
    public static ConvolutionInitialization InitializationOf(string model) => Find(model).Initialization;

    private static Family Find(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Array.Find(Families, f => f.Name == model) ?? throw Unknown("model", model, Names);
    }

    private static string ResolveStem(Family family, string? stem, ImageShape image)
    {
        if (stem is null) return family.Stems.Length == 1 || Math.Max(image.Height, image.Width) <= LargestCifarSide ? family.Stems[0] : ImageNet;
        if (!Stems.Contains(stem)) throw Unknown("stem", stem, Stems);
        return family.Stems.Contains(stem)
            ? stem
            : throw new UserMistakeException($"model '{family.Name}' has no stem '{stem}', only {string.Join(", ", family.Stems)}: leave --stem away");
    }

    private static UserMistakeException Unknown(string what, string given, IReadOnlyList<string> known)
    {
        var (nearest, distance) = known.Select(k => (k, Distance(k, given))).MinBy(static pair => pair.Item2);
        // A suggestion helps while most of the word is right.
        var suggestion = distance <= Math.Max(2, nearest.Length / 3) ? $"did you mean '{nearest}'? " : "";
        return new UserMistakeException($"unknown {what} '{given}': {suggestion}known are {string.Join(", ", known)}");
    }

    /// <summary>Levenshtein's edit distance, ignoring case and dashes: what people get wrong most.</summary>
    private static int Distance(string left, string right)
    {
        var (a, b) = (Plain(left), Plain(right));
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];

        static string Plain(string name) => name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
    }
}
