using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// Images that are no samples, because they cannot be decoded: a text file beside the index, one path a line. It is named
/// after what the index holds, not after where the folder lies: copied to another machine's cache folder it holds there too,
/// and a list of another content is never taken.
/// </summary>
internal static class SkipList
{
    private const string Separator = "\t# ";

    /// <param name="contentHash">Of the index.</param>
    public static string PathIn(string cacheFolder, string contentHash) => Path.Combine(cacheFolder, $"skip-{contentHash[..16]}.txt");

    /// <returns>Relative paths; empty when there is no list.</returns>
    /// <exception cref="UserMistakeException">There is a list that cannot be read, or a line that is none.</exception>
    public static IReadOnlySet<string> Read(string path)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        if (!File.Exists(path)) return paths;
        var number = 0;
        foreach (var line in LabelList.Lines(path))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#')) continue;
            var end = line.IndexOf(Separator, StringComparison.Ordinal);
            try
            {
                paths.Add(ImageNames.Unescape(end < 0 ? line : line[..end]));
            }
            catch (FormatException e)
            {
                throw new UserMistakeException($"{path} line {number}: {e.Message}: mend it, or remove the file and check the data again", e);
            }
        }
        return paths;
    }

    /// <param name="bad">Relative path and what is wrong with it.</param>
    /// <exception cref="IOException">There is no room, or no right.</exception>
    public static void Write(string path, IEnumerable<(string Path, string Reason)> bad)
    {
        var text = new StringBuilder("# Images that are no samples, one a line, written by 'cluster data check'. Every machine of a run needs the same list.\n");
        foreach (var (relative, reason) in bad.OrderBy(static pair => pair.Path, StringComparer.Ordinal)) text.Append(ImageNames.Escape(relative)).Append(Separator).Append(ImageNames.Escape(reason)).Append('\n');
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllText(temporary, text.ToString());
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>What joining nodes must have in common: the files, and what is left out of them.</summary>
    public static string Fingerprint(string split, string contentHash, IReadOnlySet<string> skipped) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{split}\n{contentHash}\n" + string.Join('\n', skipped.Select(ImageNames.Escape).Order(StringComparer.Ordinal)))));
}
