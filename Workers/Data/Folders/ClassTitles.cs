namespace Cluster.Workers.Data.Folders;

/// <summary>
/// Names for people of classes that are called n01440764: from a file of lines "wnid name, other name" that comes with
/// ImageNet and Tiny ImageNet. They decide nothing, so a set without such a file is as good.
/// </summary>
internal static class ClassTitles
{
    private static readonly string[] Files = ["LOC_synset_mapping.txt", "synset_words.txt", "words.txt"];

    /// <returns>[classes]; a class that the file does not know keeps its own name.</returns>
    public static string[] Of(Listing listing, IReadOnlyList<string> classes)
    {
        if (Files.Select(listing.FullPath).FirstOrDefault(File.Exists) is not { } file) return [.. classes];
        listing.Watch(Path.GetFileName(file));
        var wanted = classes.ToHashSet(StringComparer.Ordinal);
        var titles = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in LabelList.Lines(file))
        {
            var at = line.AsSpan().IndexOfAny(' ', '\t');
            if (at <= 0 || !wanted.Contains(line[..at])) continue;
            // Of "tench, Tinca tinca" the first is what people say.
            var title = line[(at + 1)..].Split(',')[0].Trim();
            if (title.Length > 0) titles.TryAdd(line[..at], title);
        }
        // Two kinds of crane are two classes.
        var twice = titles.Values.GroupBy(static title => title, StringComparer.Ordinal).Where(static group => group.Count() > 1).Select(static group => group.Key).ToHashSet(StringComparer.Ordinal);
        return [.. classes.Select(name => !titles.TryGetValue(name, out var title) ? name : twice.Contains(title) ? $"{title} ({name})" : title)];
    }
}
