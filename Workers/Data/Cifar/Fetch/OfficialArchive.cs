using System.Formats.Tar;
using System.IO.Compression;

namespace Cluster.Workers.Data.Cifar.Fetch;

/// <summary>The first source: the authors' cifar-10-binary.tar.gz, which holds the batch files as they are.</summary>
internal static class OfficialArchive
{
    private const string FileName = "cifar-10-binary.tar.gz.part";

    /// <summary>Fetches and checks the archive, then writes <paramref name="wanted"/> into <paramref name="target"/>.</summary>
    public static async Task ProvideAsync(
        FetchSettings settings, string work, string target, IReadOnlyList<BatchFile> wanted, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var archive = Path.Combine(work, FileName);
        while (true)
        {
            var resumed = await ResumableDownload.ToFileAsync(settings, archive, progress, cancellation).ConfigureAwait(false);
            var found = VerifiedFiles.Md5Of(archive);
            if (found == settings.ArchiveMd5) break;
            File.Delete(archive);
            // The first part may stem from another version or a broken disk: once more, from the start.
            if (!resumed) throw new SourceFailedException($"the archive of {settings.Archive.Host} has MD5 {found}, expected {settings.ArchiveMd5}, and was deleted");
        }
        Unpack(settings, archive, target, wanted, progress, cancellation);
    }

    /// <exception cref="SourceFailedException">The archive is damaged, or holds something else.</exception>
    internal static void Unpack(
        FetchSettings settings, string archive, string target, IReadOnlyList<BatchFile> wanted, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var missing = wanted.ToDictionary(f => $"{Cifar10Format.FolderName}/{f.Name}");
        var total = wanted.Sum(f => f.Bytes);
        var done = 0L;
        var buffer = new byte[1 << 17];
        using var file = File.OpenRead(archive);
        using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        using var tar = new TarReader(unzipped);
        try
        {
            while (missing.Count > 0 && tar.GetNextEntry() is { } entry)
            {
                if (entry.DataStream is null || !missing.Remove(entry.Name.Replace("./", "", StringComparison.Ordinal), out var batch)) continue;
                if (entry.Length != batch.Bytes) throw new SourceFailedException($"the archive has {entry.Length:N0} bytes of {batch.Name}, expected {batch.Bytes:N0}");
                using var writer = new BatchFileWriter(target, batch);
                for (int read; (read = entry.DataStream.Read(buffer)) > 0;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    writer.Write(buffer.AsSpan(0, read));
                    done += read;
                    progress?.Report(new DownloadProgress($"writing {batch.Name}", done, total));
                }
                writer.Commit($"the archive of {settings.Archive.Host}");
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or OverflowException)
        {
            throw new SourceFailedException($"the archive of {settings.Archive.Host} cannot be unpacked: {OneLine.Of(e.Message)}", e);
        }
        if (missing.Count > 0) throw new SourceFailedException($"the archive of {settings.Archive.Host} has no {missing.Values.First().Name}");
    }
}
