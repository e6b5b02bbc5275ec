using Cluster.Contracts;
using static TorchSharp.torch;

namespace Cluster.Architectures;

/// <summary>Every architecture by name. A new one is entered in <see cref="Families"/>.</summary>
public static class ModelCatalog
{
    /// <summary>Largest image side that gets the CIFAR stem when none is asked for.</summary>
    public const int LargestCifarSide = 64;

    private const string Cifar = Families.Cifar, ImageNet = Families.ImageNet;

    /// <summary>Names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Families.All.Select(static f => f.Name)];

    /// <summary>Names of stems; not every model has each.</summary>
    public static IReadOnlyList<string> Stems { get; } = [Cifar, ImageNet];

    /// <summary>Builds a model on the CPU. Its weights are whatever libtorch left there: the engine loads or draws them. The caller disposes.</summary>
    /// <param name="model">One of <see cref="Names"/>.</param>
    /// <param name="stem">One of <see cref="Stems"/>, or null: CIFAR for images of at most <see cref="LargestCifarSide"/> pixels, or where the model has no other.</param>
    /// <param name="classes">Width of the logits.</param>
    /// <param name="image">Shape of the samples.</param>
    /// <param name="dropout">Rate of every dropout layer, in [0, 1); null = the architecture's own.</param>
    /// <param name="key">What the dropout layers are keyed by, for models that are trained; without one they draw leaf 0 of step 0 of seed 0.</param>
    /// <returns>A module from [N, channels, H, W] float32 to logits [N, classes]; an <see cref="IAuxiliaryHeads"/> where the architecture has them.</returns>
    /// <exception cref="UserMistakeException">Unknown model or stem, a stem that the model lacks, no class, images that are too small, or a dropout rate for a model without dropout.</exception>
    public static nn.Module<Tensor, Tensor> Create(string model, string? stem, int classes, ImageShape image, double? dropout = null, LeafKey? key = null)
    {
        var family = Find(model);
        var resolved = ResolveStem(family, stem, image);
        var smallest = resolved == ImageNet ? family.SmallestImageNetSide : family.SmallestSide;
        if (classes < 1) throw new UserMistakeException($"model '{model}' needs at least 1 class, not {classes}: check the data set's labels");
        if (image.Channels < 1 || Math.Min(image.Height, image.Width) < smallest)
            throw new UserMistakeException($"model '{model}' needs images of at least 1x{smallest}x{smallest}, not {image}: choose other data or another model");
        var blueprint = new Blueprint(image, classes, dropout, key ?? new LeafKey());
        var network = family.Build(blueprint, resolved == ImageNet);
        if (!(dropout > 0) || blueprint.DropoutLayers > 0) return network;
        network.Dispose();
        throw new UserMistakeException($"model '{model}' has no dropout layer that --dropout {dropout} could set: leave --dropout away or choose another model");
    }

    /// <summary>Stems of a model, the one for small images first.</summary>
    /// <exception cref="UserMistakeException">Unknown model.</exception>
    public static IReadOnlyList<string> StemsOf(string model) => Find(model).Stems;

    /// <summary>The stem that <see cref="Create"/> uses.</summary>
    /// <exception cref="UserMistakeException">As in <see cref="Create"/>.</exception>
    public static string ResolveStem(string model, string? stem, ImageShape image) => ResolveStem(Find(model), stem, image);

    /// <summary>How the first weights of what <see cref="Create"/> builds are drawn.</summary>
    /// <exception cref="UserMistakeException">As in <see cref="Create"/>.</exception>
    public static Initialization InitializationOf(string model, string? stem, ImageShape image)
    {
        var family = Find(model);
        return ResolveStem(family, stem, image) == ImageNet ? family.ImageNetInitialization : family.Initialization;
    }

    private static Family Find(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Families.All.FirstOrDefault(f => f.Name == model) ?? throw Unknown("model", model, Names);
    }

    private static string ResolveStem(Family family, string? stem, ImageShape image)
    {
        if (stem is null) return family.Stems.Count == 1 || Math.Max(image.Height, image.Width) <= LargestCifarSide ? family.Stems[0] : ImageNet;
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
