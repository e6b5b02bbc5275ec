using System.Net;
using System.Net.Http.Headers;

namespace Cluster.Workers.Data.Cifar.Fetch;

/// <summary>One HTTP GET into a file, taken up where it broke: in this process, or in the next one that finds the file.</summary>
internal static class ResumableDownload
{
    /// <summary>
    /// Makes <paramref name="path"/> the whole body of <see cref="FetchSettings.Archive"/>. A file that is already there is taken for its
    /// first bytes; whether they really were is for the caller's checksum to say.
    /// </summary>
    /// <returns>True when bytes of an earlier process are part of the file: a wrong checksum may be their fault.</returns>
    /// <exception cref="SourceFailedException">Unreachable, refused, broken too often or too large. What was received stays for the next attempt.</exception>
    public static async Task<bool> ToFileAsync(FetchSettings settings, string path, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler { ConnectTimeout = settings.ConnectTimeout };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        var resumed = File.Exists(path) && new FileInfo(path).Length > 0;
        for (var transfer = 1; ; transfer++)
        {
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            try
            {
                if (await TransferAsync(client, settings, path, progress, stall).ConfigureAwait(false)) return resumed;
                resumed = false;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                cancellation.ThrowIfCancellationRequested();
                if (e is IOException && !IsOfTheNetwork(e)) throw;         // the disk, not the line
                var reached = File.Exists(path) && new FileInfo(path).Length > 0;
                // A server that was never reached will not be reached a second later; one that broke off may go on.
                if (transfer >= settings.Transfers || !reached) throw new SourceFailedException(Describe(settings.Archive, e), e);
            }
        }
    }

    /// <summary>True when the file is complete, false when the server could not go on from its end and it must be begun again.</summary>
    private static async Task<bool> TransferAsync(
        HttpClient client, FetchSettings settings, string path, IProgress<DownloadProgress>? progress, CancellationTokenSource stall)
    {
        var have = File.Exists(path) ? new FileInfo(path).Length : 0;
        using var request = new HttpRequestMessage(HttpMethod.Get, settings.Archive);
        if (have > 0) request.Headers.Range = new RangeHeaderValue(have, null);
        stall.CancelAfter(settings.StallTimeout);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && have > 0)
        {
            if (response.Content.Headers.ContentRange?.Length == have) return true;         // nothing was missing
            File.Delete(path);
            return false;
        }
        if (!response.IsSuccessStatusCode)
            throw new SourceFailedException($"{settings.Archive.Host} answered {(int)response.StatusCode} {response.ReasonPhrase}");

        var start = response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == have ? have : 0;
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
        await using (file.ConfigureAwait(false))
        {
            file.SetLength(start);
            file.Position = start;
            var total = start + (response.Content.Headers.ContentLength ?? 0);
            await CopyAsync(response, file, settings, total, progress, stall).ConfigureAwait(false);
        }
        return true;
    }

    private static async Task CopyAsync(
        HttpResponseMessage response, FileStream file, FetchSettings settings, long total, IProgress<DownloadProgress>? progress, CancellationTokenSource stall)
    {
        var buffer = new byte[1 << 16];
        var phase = $"downloading from {settings.Archive.Host}";
        var body = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            while (true)
            {
                stall.CancelAfter(settings.StallTimeout);
                var read = await body.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
                if (read == 0) break;
                if (file.Position + read > settings.ArchiveMostBytes)
                {
                    file.SetLength(0);
                    throw new SourceFailedException($"{settings.Archive.Host} sent more than {settings.ArchiveMostBytes:N0} bytes");
                }
                await file.WriteAsync(buffer.AsMemory(0, read), CancellationToken.None).ConfigureAwait(false);
                progress?.Report(new DownloadProgress(phase, file.Position, Math.Max(total, file.Position)));
            }
        }
        // A body without a length ends where the line broke as well as where it is complete; with one, HttpClient tells.
        file.Flush(flushToDisk: true);
    }

    private static bool IsOfTheNetwork(Exception e) => e is HttpIOException || e.InnerException is System.Net.Sockets.SocketException;

    private static string Describe(Uri uri, Exception e) => e switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => $"{uri.Host} is not known here",
        OperationCanceledException => $"{uri.Host} did not answer in time",
        HttpRequestException { InnerException: TimeoutException or OperationCanceledException } => $"{uri.Host} did not answer in time",
        _ => $"{uri.Host}: {OneLine.Of(e.Message)}",
    };
}
