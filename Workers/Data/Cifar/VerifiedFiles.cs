using System.Globalization;
using System.Security.Cryptography;

namespace Cluster.Workers.Data.Cifar;

/// <summary>
/// Remembers which files had which MD5 when they were last read in full, by path, size and modification time, so that
/// 180 MB are hashed once and not at every start. The memory is a convenience: when it cannot be read or written, the
/// files are hashed again. Two processes may write it at once; the later one wins and nothing is lost but time.
/// </summary>
internal sealed class VerifiedFiles(string cacheRoot)
{
    private const string FileName = "verified-files.tsv";
    private const int MostLines = 1000;
    private readonly string _path = Path.Combine(cacheRoot, FileName);

    /// <summary>True when <paramref name="file"/> was found to have <paramref name="md5"/> and looks untouched since.</summary>
    public bool Remembers(FileInfo file, string md5)
    {
        var line = Line(file, md5);
        return line is not null && ReadLines().Contains(line);
    }

    public void Remember(FileInfo file, string md5)
    {
        if (Line(file, md5) is not { } line) return;
        try
        {
            Directory.CreateDirectory(cacheRoot);
            var suffix = '\t' + file.FullName;
            var lines = ReadLines().Where(l => !l.EndsWith(suffix, StringComparison.Ordinal)).TakeLast(MostLines - 1).Append(line);
            var temporary = $"{_path}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp";
            File.WriteAllLines(temporary, lines);
            File.Move(temporary, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A read-only or full cache folder costs a hash at the next start, nothing else.
        }
    }

    /// <summary>MD5 of a file in lower-case hex.</summary>
    public static string Md5Of(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
#pragma warning disable CA5351 // the published checksums are MD5; they find damage, not forgers
        return Convert.ToHexStringLower(MD5.HashData(stream));
#pragma warning restore CA5351
    }

    private List<string> ReadLines()
    {
        try
        {
            return File.Exists(_path) ? [.. File.ReadAllLines(_path)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Null when the path cannot stand in one line.</summary>
    private static string? Line(FileInfo file, string md5) => file.FullName.AsSpan().ContainsAny('\n', '\r', '\t')
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"{md5}\t{file.Length}\t{file.LastWriteTimeUtc.Ticks}\t{file.FullName}");
}
