using System.Collections.Concurrent;
using System.Globalization;
using Cluster.Workers.Data;
using Spectre.Console;

namespace Cluster.Cli.Display;

/// <summary>Shows a download: a bar per kind of work on a terminal, else a line per phase and at most one in five seconds within it.</summary>
internal static class DownloadDisplay
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(150);

    /// <summary>Runs <paramref name="download"/> and hands its outcome or its exception on.</summary>
    public static Task<T> ShowAsync<T>(Func<IProgress<DownloadProgress>, Task<T>> download) =>
        Displays.IsTerminal
            ? OnTerminalAsync(Displays.CreateConsole(), download)
            : download(new PlainLines(Console.Out, TimeProvider.System));

    private static Task<T> OnTerminalAsync<T>(IAnsiConsole console, Func<IProgress<DownloadProgress>, Task<T>> download) =>
        console.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn()).StartAsync(async context =>
        {
            var latest = new Latest();
            var running = Task.Run(() => download(latest));
            var tasks = new Dictionary<string, ProgressTask>();
            using var ticks = new PeriodicTimer(Refresh);
            var tick = ticks.WaitForNextTickAsync().AsTask();
            while (await Task.WhenAny(running, tick) == tick)
            {
                Draw(context, latest, tasks);
                tick = ticks.WaitForNextTickAsync().AsTask();
            }
            Draw(context, latest, tasks);
            var result = await running;
            foreach (var task in tasks.Values) task.Value = task.MaxValue;
            foreach (var found in latest.Results) console.WriteLine(found);
            return result;
        });

    /// <summary>Phases of one kind of work ("writing data_batch_1.bin", "writing …2.bin") share a bar: their bytes run on.</summary>
    private static void Draw(ProgressContext context, Latest latest, Dictionary<string, ProgressTask> tasks)
    {
        foreach (var (kind, progress) in latest.ByKind)
        {
            if (!tasks.TryGetValue(kind, out var task)) tasks[kind] = task = context.AddTask(Markup.Escape(progress.Phase));
            task.Description = Markup.Escape(progress.Phase + CountOf(progress));
            task.IsIndeterminate = progress.BytesTotal <= 0;
            if (progress.BytesTotal <= 0) continue;
            task.MaxValue = progress.BytesTotal;
            task.Value = progress.BytesDone;
        }
    }

    /// <summary>How much is done of how much, in the unit that is counted.</summary>
    internal static string CountOf(DownloadProgress value) => value switch
    {
        { Unit: { } unit, BytesTotal: > 0 } => string.Create(CultureInfo.InvariantCulture, $"  {value.BytesDone:N0} of {value.BytesTotal:N0} {unit}"),
        { Unit: { } unit } => string.Create(CultureInfo.InvariantCulture, $"  {value.BytesDone:N0} {unit}"),
        { BytesTotal: > 0 } => string.Create(CultureInfo.InvariantCulture, $"  {value.BytesDone / 1e6:0} of {value.BytesTotal / 1e6:0} MB"),
        _ => "",
    };

    private static string KindOf(string phase) => phase.Split(' ', 2)[0];

    private sealed class Latest : IProgress<DownloadProgress>
    {
        public ConcurrentDictionary<string, DownloadProgress> ByKind { get; } = new(StringComparer.Ordinal);

        /// <summary>A sentence is not squeezed in beside a bar: it follows the bars.</summary>
        public ConcurrentQueue<string> Results { get; } = new();

        public void Report(DownloadProgress value)
        {
            if (value.IsResult) Results.Enqueue(value.Phase);
            else ByKind[KindOf(value.Phase)] = value;
        }
    }

    internal sealed class PlainLines(TextWriter output, TimeProvider clock) : IProgress<DownloadProgress>
    {
        private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

        private readonly Lock _lock = new();
        private string? _kind;
        private long _lastAt;
        private long _lastDone;

        public void Report(DownloadProgress value)
        {
            lock (_lock)
            {
                var isNew = value.IsResult || KindOf(value.Phase) != _kind;
                // Several threads report: what was overtaken by the end says nothing new.
                if (!isNew && value.BytesTotal > 0 && _lastDone >= value.BytesTotal) return;
                // The end of a kind of work is told whenever it comes: else its last line would be one of its middle.
                var isEnd = value.BytesTotal > 0 && value.BytesDone >= value.BytesTotal;
                if (!isNew && !isEnd && clock.GetElapsedTime(_lastAt) < Silence) return;
                _kind = KindOf(value.Phase);
                _lastAt = clock.GetTimestamp();
                _lastDone = value.BytesDone;
                output.WriteLine(value.Phase + CountOf(value));
                output.Flush();
            }
        }
    }
}
