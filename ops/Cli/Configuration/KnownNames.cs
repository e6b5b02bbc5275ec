using Cluster.Coordinator.Core;

namespace Cluster.Cli.Configuration;

/// <summary>A data set that <c>--data</c> accepts.</summary>
/// <param name="Folder">Whether a folder may follow after a colon.</param>
public sealed record KnownData(string Name, bool Folder, string Description)
{
    /// <summary>Whether a folder must follow: nothing is downloaded.</summary>
    public bool NeedsFolder { get; init; }

    /// <summary>Whether its images have any size, so that the network's is chosen.</summary>
    public bool AnySize { get; init; }

    /// <summary>What to write after <c>--data</c>.</summary>
    public string Usage => NeedsFolder ? $"{Name}:DIR" : Name;

    /// <summary>The set that a specification names; null = unknown.</summary>
    public static KnownData? Of(string spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return KnownNames.Data.FirstOrDefault(data => data.Name == spec.Split(':', 2)[0]);
    }
}

/// <summary>The names that a person may type, each with a line that says what it is.</summary>
public static class KnownNames
{
    public static IReadOnlyList<KnownModel> Models => KnownModels.All;

    public static readonly IReadOnlyList<KnownData> Data =
    [
        new("cifar10", Folder: true, "60,000 photographs of 32x32 pixels in 10 classes; downloaded when missing, or read from cifar10:DIR"),
        new("cifar100", Folder: true, "60,000 photographs of 32x32 pixels in 100 classes, read from the binary version in DIR") { NeedsFolder = true },
        new("mnist", Folder: true, "70,000 grey digits of 28x28 pixels, read from the four IDX files in DIR, plain or .gz") { NeedsFolder = true },
        new("fashion-mnist", Folder: true, "70,000 grey pieces of clothing of 28x28 pixels, read from the four IDX files in DIR, plain or .gz") { NeedsFolder = true },
        new("imagefolder", Folder: true, "JPEG and PNG images of any size in DIR/train/<class>/ and DIR/val/<class>/, as ImageNet and Places have them") { NeedsFolder = true, AnySize = true },
        new("shards", Folder: true, "images packed by 'cluster data pack', or WebDataset's train-….tar and val-….tar, read in large pieces from DIR") { NeedsFolder = true, AnySize = true },
        new("synthetic", Folder: false, "3x32x32, 10 classes, 50,000 and 10,000 learnable samples drawn from the seed"),
    ];

    public static readonly IReadOnlyList<string> Stems = ["cifar", "imagenet"];
    public static readonly IReadOnlyList<string> Schedules = ScheduleRules.Kinds;
    public static readonly IReadOnlyList<string> Warmups = ["linear", "constant"];
    public static readonly IReadOnlyList<string> Optimizers = ["sgd", "adam", "adamw", "adagrad", "rmsprop", "lars"];
    public static readonly IReadOnlyList<string> MomentumForms = ["pytorch", "classical"];
    public static readonly IReadOnlyList<string> Penalties = ["l2", "l2-over-n", "decoupled", "l1", "elastic-net"];
    public static readonly IReadOnlyList<string> Losses = ["cross-entropy", "squared-error"];
    public static readonly IReadOnlyList<string> StoppingMetrics = ["accuracy", "loss"];
    public static readonly IReadOnlyList<string> Anneals = ["cos", "linear"];
    public static readonly IReadOnlyList<string> PadModes = ["zero", "reflect"];

    public static KnownModel? Model(string name) => Models.FirstOrDefault(model => model.Name == name);
}
