using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>How a folder is laid out: which classes there are, and where each split's images and labels are found.</summary>
/// <param name="Classes">In label order.</param>
/// <param name="Test">Null = the set has no images to evaluate on.</param>
internal sealed record FolderLayout(string[] Classes, SplitSource Train, SplitSource? Test)
{
    private static readonly string[] TestNames = ["val", "valid", "validation", "test"];

    private static readonly string[] TrainLists = ["train.txt", "train.csv", "places365_train_standard.txt", "places365_train_challenge.txt", "train_places205.csv"];
    private static readonly string[] TestLists = ["val.txt", "val.csv", "places365_val.txt", "val_places205.csv"];
    private static readonly string[] CategoryLists = ["categories_places365.txt", "categoryIndex_places205.csv"];
    private static readonly string[] ListFolders = ["", "filelist_places365-standard/", "filelist_places365-challenge/", "trainvalsplit_places205/"];

    /// <summary>Where the images of a list lie when they do not lie in the set's own folder.</summary>
    private static readonly string[] ImageFolders = ["", "train", "val", "data_large_standard", "data_large", "data_256_standard", "data_256", "val_large", "val_256", "images256", "data/vision/torralba/deeplearning/images256"];

    private const string Expected = "expected are train/<class>/<image> and val/<class>/<image>, or lists train.txt and val.txt of lines 'path label'";

    /// <param name="listing">Of the set's folder; gets what is to be watched.</param>
    /// <exception cref="UserMistakeException">There is no such layout here; one line says what was expected.</exception>
    public static FolderLayout Find(Listing listing)
    {
        listing.Watch("");
        var images = !Directory.Exists(listing.FullPath("train")) && Directory.Exists(listing.FullPath("ILSVRC/Data/CLS-LOC/train")) ? "ILSVRC/Data/CLS-LOC/" : "";
        var hasTrain = Directory.Exists(listing.FullPath(images + "train"));
        var classes = hasTrain ? listing.FoldersIn(images + "train") : [];
        if (classes.Count > 0)
        {
            listing.Watch(images + "train");
            return new FolderLayout([.. classes], new SplitSource.OfFolders(images + "train", classes), FindTest(listing, images));
        }
        if (FirstOf(listing, TrainLists) is { } list) return OfLists(listing, list);
        if (hasTrain) throw new UserMistakeException($"{ImageNames.Escape(listing.FullPath("train"))} holds no folder: {Expected}");
        var inner = listing.FoldersIn("");
        throw new UserMistakeException(inner.Count > 0 && Path.GetFileName(listing.Root) is "train" or "val"
            ? $"{ImageNames.Escape(listing.Root)} is one split of a set: write imagefolder:{ImageNames.Escape(Path.GetDirectoryName(listing.Root) ?? "/")}"
            : $"{ImageNames.Escape(listing.Root)} {(Directory.EnumerateFileSystemEntries(listing.Root).Any() ? "has no folder train" : "is empty")}: {Expected}");
    }

    private static SplitSource? FindTest(Listing listing, string images)
    {
        foreach (var name in TestNames)
        {
            var folder = images + name;
            if (!Directory.Exists(listing.FullPath(folder))) continue;
            var inner = listing.FoldersIn(folder);
            if (File.Exists(listing.FullPath($"{folder}/val_annotations.txt"))) return TinyImageNet(listing, folder);
            if (inner.Count > 0) return new SplitSource.OfFolders(folder, inner);
            if (ValidationLabels.Find(listing, folder) is { } flat) return flat;
            var isFlat = Directory.EnumerateFiles(listing.FullPath(folder)).Any(static file => ImageNames.IsImage(file) && !ImageNames.IsHidden(Path.GetFileName(file)));
            // A test split is published without labels; those who want to evaluate on it have folders.
            if (isFlat && name != "test")
                throw new UserMistakeException($"{ImageNames.Escape(listing.FullPath(folder))} holds images that have no class: put them into folders of their classes, or one of {ValidationLabels.Names} into {ImageNames.Escape(listing.Root)}");
        }
        return null;
    }

    private static SplitSource.OfList TinyImageNet(Listing listing, string folder)
    {
        var file = $"{folder}/val_annotations.txt";
        listing.Watch(file);
        return new SplitSource.OfList(listing.FullPath(file), $"{folder}/images", () => LabelList.Pairs(listing.FullPath(file)));
    }

    private static FolderLayout OfLists(Listing listing, string trainList)
    {
        var testList = FirstOf(listing, TestLists);
        var classes = Categories(listing) ?? ClassesOf(listing, trainList);
        return new FolderLayout(classes, Of(listing, trainList), testList is null ? null : Of(listing, testList));
    }

    private static SplitSource.OfList Of(Listing listing, string list)
    {
        listing.Watch(list);
        var file = listing.FullPath(list);
        var first = LabelList.Pairs(file).Select(static line => line.Path).FirstOrDefault()
            ?? throw new UserMistakeException($"{file} lists no images: take it away, or fill it");
        var test = TestLists.Contains(Path.GetFileName(list));
        var folder = ImageFolders.OrderBy(name => test == name.StartsWith("val", StringComparison.Ordinal) ? 0 : 1)
            .FirstOrDefault(name => File.Exists(listing.FullPath(name.Length == 0 ? first : $"{name}/{first}")))
            ?? throw new UserMistakeException($"{file} lists {ImageNames.Escape(first)}, which is neither in {ImageNames.Escape(listing.Root)} nor in a folder of it that Places or ImageNet use ({string.Join(", ", ImageFolders.Skip(1))}): unpack the images there");
        return new SplitSource.OfList(file, folder, () => LabelList.Pairs(file));
    }

    /// <summary>Places' own lists of "/a/airfield 0": names in label order.</summary>
    private static string[]? Categories(Listing listing)
    {
        if (FirstOf(listing, CategoryLists) is not { } list) return null;
        listing.Watch(list);
        var file = listing.FullPath(list);
        var names = new SortedDictionary<int, string>();
        foreach (var line in LabelList.Pairs(file))
        {
            if (!int.TryParse(line.Label, NumberStyles.None, CultureInfo.InvariantCulture, out var label) || !names.TryAdd(label, line.Path))
                throw new UserMistakeException($"{file} line {line.Number}: '{ImageNames.Escape(line.Label)}' is no number, or stands for a second class");
        }
        if (names.Count == 0 || names.Keys.Last() != names.Count - 1) throw new UserMistakeException($"{file}: the classes are not numbered from 0 without a gap");
        return [.. names.Values];
    }

    /// <summary>From the labels themselves: numbers from 0, or names in the order of their bytes.</summary>
    private static string[] ClassesOf(Listing listing, string trainList)
    {
        var labels = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in LabelList.Pairs(listing.FullPath(trainList))) labels.Add(line.Label);
        if (labels.Count == 0) throw new UserMistakeException($"{listing.FullPath(trainList)} lists no images");
        if (!labels.All(static label => int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            var names = labels.ToList();
            names.Sort(Listing.ByBytes);
            return [.. names];
        }
        var most = labels.Max(static label => int.Parse(label, CultureInfo.InvariantCulture));
        if (most >= labels.Count) throw new UserMistakeException($"{listing.FullPath(trainList)}: the largest label is {most}, but only {labels.Count} different ones are there: number the classes from 0 without a gap");
        return [.. Enumerable.Range(0, most + 1).Select(static label => label.ToString(CultureInfo.InvariantCulture))];
    }

    private static string? FirstOf(Listing listing, string[] names) =>
        ListFolders.SelectMany(folder => names.Select(name => folder + name)).FirstOrDefault(list => File.Exists(listing.FullPath(list)));
}
