using System.Globalization;
using Cluster.Cli.Bench.Peers;
using Cluster.Cli.Configuration;

namespace Cluster.Cli.Bench.Monitoring;

/// <summary>What of a run is watched while it is measured.</summary>
[Flags]
internal enum Watched
{
    Nothing = 0,
    Traces = 1,
    Otlp = 2,
    Metrics = 4,
    Page = 8,
    TensorBoard = 16,
    Everything = Traces | Otlp | Metrics | Page | TensorBoard,
}

/// <summary>What one measured run is.</summary>
/// <param name="Batch">Images of a step.</param>
/// <param name="WarmUp">Steps before those that count.</param>
internal sealed record WatchedWorkload(string Model, int Workers, int Batch, int WarmUp, int Steps);

/// <summary>What came out.</summary>
/// <param name="Mean">Milliseconds of a step.</param>
/// <param name="Median">Milliseconds of a step.</param>
/// <param name="Processor">Milliseconds of processor time of a step, in all threads.</param>
/// <param name="Beside">The same in the threads that neither train nor compile.</param>
internal readonly record struct WatchedTimes(double Mean, double Median, double Processor, double Beside);

/// <summary>One run of this very program, watched more or less.</summary>
internal static class WatchedRun
{
    /// <summary>The page's reader, and whoever scrapes, come when the run says where.</summary>
    private const string AddressMark = "http://";

    private static readonly TimeSpan Scrape = TimeSpan.FromSeconds(1);

    /// <exception cref="BenchmarkException">The run failed.</exception>
    public static async Task<WatchedTimes> MeasureAsync(WatchedWorkload work, Watched watched, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-bench-");
        using var sink = new SpanSink();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            var run = Path.Combine(folder.FullName, "run");
            var threads = new ThreadTimes();
            var readers = new List<Task>();
            await using (var process = MeasuredProcess.Start("cluster train", Path.Combine(AppContext.BaseDirectory, "cluster"), Arguments(work, watched, run), threads: 1, Environment(watched, sink)))
            {
                readers.Add(threads.SampleAsync(process.Id, Path.Combine(run, RunFolder.CommitsName), work.WarmUp, over.Token));
                if (watched.HasFlag(Watched.Page) || watched.HasFlag(Watched.Metrics))
                {
                    var address = await AddressAsync(process, stop);
                    if (watched.HasFlag(Watched.Page)) readers.Add(ReadPageAsync(address, over.Token));
                    if (watched.HasFlag(Watched.Metrics)) readers.Add(ScrapeAsync(address, over.Token));
                }
                await process.FinishAsync(stop);
            }
            await over.CancelAsync();
            await Task.WhenAll(readers);
            if (watched.HasFlag(Watched.Otlp) && sink.Bytes == 0) throw new BenchmarkException("no span reached the collector: nothing was measured");
            var times = OurPeer.Read(await File.ReadAllLinesAsync(Path.Combine(run, RunFolder.CommitsName), stop)).Skip(work.WarmUp).Select(static c => c.Milliseconds).Order().ToArray();
            return new WatchedTimes(times.Average(), times[times.Length / 2], threads.All, threads.BesideTraining);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string[] Arguments(WatchedWorkload work, Watched watched, string run)
    {
        var isServed = watched.HasFlag(Watched.Page) || watched.HasFlag(Watched.Metrics);
        return
        [
            "train", "--model", work.Model, "--data", "synthetic", "--threads", "1", "--batch", $"{work.Batch}", "--microbatches", $"{2 * work.Workers}",
            "--workers", $"{work.Workers}", "--steps", (work.WarmUp + work.Steps).ToString(CultureInfo.InvariantCulture), "--evaluate", "false", "--checkpoint-every", "0", "--audit-every", "0",
            "--monitor", isServed ? "127.0.0.1:0" : "none", "--tensorboard", watched.HasFlag(Watched.TensorBoard) ? "true" : "false", "--out", run,
        ];
    }

    private static Dictionary<string, string> Environment(Watched watched, SpanSink sink)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!watched.HasFlag(Watched.Traces)) environment["OTEL_SDK_DISABLED"] = "true";
        if (watched.HasFlag(Watched.Otlp))
        {
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink.Address;
            environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        }
        return environment;
    }

    private static async Task<Uri> AddressAsync(MeasuredProcess process, CancellationToken stop)
    {
        while (true)
        {
            var line = await process.ReadLineAsync(stop);
            var at = line.IndexOf(AddressMark, StringComparison.Ordinal);
            if (at >= 0) return new Uri(line[at..].Split(' ')[0].TrimEnd('.', ','));
        }
    }

    /// <summary>As a browser does: the page once, then its events as they come.</summary>
    private static async Task ReadPageAsync(Uri address, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = address };
        try
        {
            await client.GetByteArrayAsync("/", stop);
            await client.GetByteArrayAsync("/api/run", stop);
            await using var events = await client.GetStreamAsync("/api/events", stop);
            var buffer = new byte[64 * 1024];
            while (await events.ReadAsync(buffer, stop) > 0) { }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException)
        {
            // The run is over, or ends.
        }
    }

    private static async Task ScrapeAsync(Uri address, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = address };
        using var timer = new PeriodicTimer(Scrape);
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) await client.GetByteArrayAsync("/metrics", stop);
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException)
        {
            // The run is over, or ends.
        }
    }
}
