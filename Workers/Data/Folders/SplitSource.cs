using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>Where the images of a split and their labels are found.</summary>
internal abstract record SplitSource
{
    /// <summary>Folders in the order of samples.</summary>
    /// <param name="classes">Names of the classes in label order.</param>
    /// <exception cref="UserMistakeException">Something cannot be read, or does not fit together; a line each.</exception>
    public abstract List<FolderNames> List(Listing listing, IReadOnlyList<string> classes);

    protected static int Threads => Math.Clamp(Environment.ProcessorCount * 2, 4, 32);

    /// <summary>A folder per class.</summary>
    /// <param name="Folder">Relative: <c>train</c>.</param>
    /// <param name="Names">The classes' folders in it.</param>
    internal sealed record OfFolders(string Folder, IReadOnlyList<string> Names) : SplitSource
    {
        public override List<FolderNames> List(Listing listing, IReadOnlyList<string> classes)
        {
            var labels = classes.Select(static (name, label) => (name, label)).ToDictionary(static pair => pair.name, static pair => pair.label, StringComparer.Ordinal);
            var strangers = Names.Where(name => !labels.ContainsKey(name)).ToList();
            if (strangers.Count > 0)
                throw new UserMistakeException(Lines(strangers, name => $"{ImageNames.Escape(listing.FullPath($"{Folder}/{name}"))} is a class that training lacks: add its training images, or take it out of {Folder}"));
            listing.Watch(Folder);
            var found = new List<FolderNames>[Names.Count];
            // Where the disk is far away, many questions at once are what makes it fast.
            var options = new ParallelOptions { MaxDegreeOfParallelism = Threads, CancellationToken = listing.Stop };
            SeveralThreads.Run(() => Parallel.For(0, Names.Count, options, i => found[i] = new FolderWalk(listing, labels[Names[i]]).Walk($"{Folder}/{Names[i]}")));
            return [.. found.SelectMany(static folders => folders)];
        }

        /// <summary>Classes of which no image was found.</summary>
        public IReadOnlyList<string> Without(List<FolderNames> found) =>
            [.. Names.Where(name => !found.Exists(folder => folder.Path == $"{Folder}/{name}" || folder.Path.StartsWith($"{Folder}/{name}/", StringComparison.Ordinal)))];
    }

    /// <summary>A list of images with their labels.</summary>
    /// <param name="File">Absolute; for messages.</param>
    /// <param name="Base">Relative folder that the list's paths begin in.</param>
    /// <param name="Read">The list's lines.</param>
    /// <param name="ClassOf">The class's name that a label stands for; null = the label is a name, or a number from 0.</param>
    internal sealed record OfList(string File, string Base, Func<IEnumerable<LabelLine>> Read, Func<string, string?>? ClassOf = null) : SplitSource
    {
        public override List<FolderNames> List(Listing listing, IReadOnlyList<string> classes)
        {
            var labels = classes.Select(static (name, label) => (name, label)).ToDictionary(static pair => pair.name, static pair => pair.label, StringComparer.Ordinal);
            var folders = new Dictionary<string, FolderNames>(StringComparer.Ordinal);
            var mistakes = new List<string>();
            foreach (var line in Read())
            {
                listing.Stop.ThrowIfCancellationRequested();
                if (LabelOf(line.Label, labels, classes.Count) is not { } label)
                {
                    mistakes.Add($"{File} line {line.Number}: label '{ImageNames.Escape(line.Label)}' is none of the {classes.Count} classes that training has: add that class, or take the line out");
                    continue;
                }
                var slash = line.Path.LastIndexOf('/');
                var folder = string.Join('/', new[] { Base, slash < 0 ? "" : line.Path[..slash] }.Where(static part => part.Length > 0));
                if (!folders.TryGetValue(folder, out var names)) folders[folder] = names = new FolderNames(folder);
                names.Add(line.Path.AsSpan(slash + 1), label);
                listing.CountImages(1);
            }
            foreach (var folder in folders.Values)
            {
                if (folder.Sort() is { } twice) mistakes.Add($"{File}: {ImageNames.Escape($"{folder.Path}/{twice}")} is listed twice: take one of the lines out");
            }
            if (mistakes.Count > 0) throw new UserMistakeException(Lines(mistakes, static line => line));
            var sorted = folders.Values.ToList();
            sorted.Sort(static (a, b) => Listing.ByBytes(a.Path, b.Path));
            return sorted;
        }

        private int? LabelOf(string label, Dictionary<string, int> labels, int classes)
        {
            if (ClassOf is not null) return ClassOf(label) is { } name && labels.TryGetValue(name, out var known) ? known : null;
            if (labels.TryGetValue(label, out var named)) return named;
            return int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < classes ? number : null;
        }
    }

    private const int MostLines = 20;

    /// <summary>One line each, the first twenty.</summary>
    public static string Lines(IReadOnlyList<string> items, Func<string, string> line) =>
        string.Join('\n', items.Take(MostLines).Select(line)) + (items.Count > MostLines ? $"\nand {items.Count - MostLines:N0} more of this kind" : "");
}
