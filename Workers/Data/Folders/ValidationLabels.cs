using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// ILSVRC2012's validation images lie in one folder; which class each has stands in one of several files that people have.
/// Each is taken for what it is alone: a number that may mean two classes is refused.
/// </summary>
internal static class ValidationLabels
{
    /// <summary>Lines are ILSVRC2012_IDs, whose classes the devkit's meta.mat names: not the order of sorted wnids.</summary>
    public const string GroundTruth = "ILSVRC2012_validation_ground_truth.txt";

    /// <summary>Kaggle's; lines with wnids.</summary>
    private const string Kaggle = "LOC_val_solution.csv";

    /// <summary>A wnid per line, as TensorFlow's scripts have it.</summary>
    private const string Synsets = "imagenet_2012_validation_synset_labels.txt";

    /// <summary>Caffe's: "ILSVRC2012_val_00000001.JPEG 65", a number in the order of sorted wnids.</summary>
    private const string Caffe = "val.txt";

    private static readonly string[] DevKits = ["", "ILSVRC2012_devkit_t12/data/", "data/", "devkit/data/"];

    public const string Names = $"{GroundTruth} (with the devkit's meta.mat), {Kaggle}, {Synsets} or {Caffe}";

    /// <param name="folder">Relative, of the images.</param>
    /// <returns>Null when there is no such file.</returns>
    /// <exception cref="UserMistakeException">There is one that cannot be understood.</exception>
    public static SplitSource? Find(Listing listing, string folder)
    {
        if (Existing(listing, Kaggle) is { } kaggle) return new SplitSource.OfList(kaggle, folder, () => LabelList.Boxes(kaggle), static label => label);
        if (Existing(listing, Synsets) is { } synsets) return new SplitSource.OfList(synsets, folder, () => LabelList.OfValidation(synsets), static label => label);
        if (Existing(listing, $"{folder}/{Caffe}") is { } beside) return new SplitSource.OfList(beside, folder, () => LabelList.Pairs(beside));
        if (Existing(listing, Caffe) is { } caffe) return new SplitSource.OfList(caffe, folder, () => WithoutFolder(LabelList.Pairs(caffe), Path.GetFileName(folder)));
        foreach (var place in DevKits)
        {
            if (Existing(listing, place + GroundTruth) is not { } truth) continue;
            var meta = DevKits.Prepend(place).Select(devkit => Existing(listing, devkit + "meta.mat")).FirstOrDefault(static file => file is not null)
                ?? throw new UserMistakeException($"{truth} numbers the classes as the devkit's meta.mat does, which is not there: put meta.mat beside it");
            var wnids = DevKitSynsets.Read(meta);
            return new SplitSource.OfList(truth, folder, () => LabelList.OfValidation(truth),
                label => int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? wnids.GetValueOrDefault(id) : null);
        }
        return null;
    }

    /// <summary>"val/x.JPEG 65" means the same as "x.JPEG 65".</summary>
    private static IEnumerable<LabelLine> WithoutFolder(IEnumerable<LabelLine> lines, string folder) =>
        lines.Select(line => line.Path.StartsWith(folder + '/', StringComparison.Ordinal) ? line with { Path = line.Path[(folder.Length + 1)..] } : line);

    private static string? Existing(Listing listing, string relative)
    {
        if (!File.Exists(listing.FullPath(relative))) return null;
        listing.Watch(relative);
        return listing.FullPath(relative);
    }
}
