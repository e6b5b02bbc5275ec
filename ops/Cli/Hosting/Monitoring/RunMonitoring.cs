using Cluster.Cli.Configuration;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.Health;
using Cluster.Coordinator.Monitor.Traces;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>
/// All that watches a run, in the coordinator's process: composes the watchers and the server that shows what they keep,
/// and tells them what happens. Any thread; nothing here holds the run up or fails it.
/// </summary>
internal sealed class RunMonitoring : IAsyncDisposable
{
    private readonly WatchThread _thread;
    private readonly MonitorServer? _server;
    private readonly EventLog _events;
    private readonly SpanRecorder? _spans;
    private readonly MonitoringContext _context;
    private readonly NodeReporter _reporter;

    private RunMonitoring(WatchThread thread, MonitorServer? server, MonitoringContext context)
    {
        _thread = thread;
        _server = server;
        _context = context;
        var events = _events = context.Folder.Events;
        if (context.Metrics is { } metrics) metrics.DroppedCalls = () => thread.Dropped;
        _reporter = NodeReporter.Start(report => Heard(context.IsLocal ? "local" : NodeOptions.Coordinator, report));
        events.Appended = happened => _thread.Post(w => w.Happened(happened));
        _spans = SpanRecorder.Start(batch => Heard(context.IsLocal ? "local" : NodeOptions.Coordinator, batch));
    }

    /// <summary>See <see cref="MonitoringContext.Look"/>.</summary>
    public Action<WeightsVersion, IReadOnlyList<ShardSnapshot>>? Look => _context.Look;

    /// <summary>Watches from here on.</summary>
    public static async Task<RunMonitoring> OpenAsync(MonitoringContext context)
    {
        var watchers = new List<IRunWatcher>();
        foreach (var open in (Func<MonitoringContext, IRunWatcher?>[])[TraceWatching.Open, HealthWatching.Open, MetricsWatching.Open, PageWatching.Open, TensorBoardWatching.Open, ReportWatching.Open])
        {
            try
            {
                if (open(context) is { } watcher) watchers.Add(watcher);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ClusterException and not UserMistakeException)
            {
                context.Say($"{open.Method.DeclaringType!.Name} does not watch this run: {e.Message.ReplaceLineEndings(" ")}");
            }
        }
        var server = await PageServing.StartAsync(context);
        return new RunMonitoring(new WatchThread(watchers, context.Say), server, context);
    }

    /// <summary>How the run is; null = nobody can ask.</summary>
    public IHealth? Health => _context.Health;

    /// <summary>From here on the process is as alive as its coordinator.</summary>
    /// <param name="ask">Returns at once; its task ends when the coordinator has taken a message.</param>
    public void Watch(Func<Task> ask) => _context.Health?.Watch(ask);

    /// <summary>The process was asked to stop: it is not ready any more.</summary>
    public void Leaving(string reason) => _context.Health?.Leaving(reason);

    public void Begun(StepId step)
    {
        var at = DateTimeOffset.UtcNow;
        _thread.Post(w => w.Begun(step, at));
    }

    public void Committed(CommitRecord record, TimeSpan sincePrevious, bool isReplayed, double imagesPerSecond)
    {
        var step = new CommittedStep(record, sincePrevious, isReplayed, imagesPerSecond, DateTimeOffset.UtcNow);
        _thread.Post(w => w.Committed(step));
    }

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions) => _thread.Post(w => w.Evaluated(totals, predictions));

    public void Checkpointed(CheckpointWritten checkpoint) => _thread.Post(w => w.Checkpointed(checkpoint.Version, checkpoint.Took));

    public void Ended(RunOutcome outcome) =>
        _thread.Post(w => w.Ended(new RunEnding(outcome.Last, outcome.End == RunEnd.Finished, outcome.Reason, outcome.StateSha256)));

    /// <summary>What a node says of itself, from its link's thread.</summary>
    /// <param name="message">A <see cref="NodeReport"/> or <see cref="SpanBatch"/>; anything else is nothing to watch.</param>
    public void Heard(string node, object message)
    {
        if (message is NodeReport report) _thread.Post(w => w.Reported(node, report), mayBeDropped: true);
        else if (message is SpanBatch batch) _thread.Post(w => w.Traced(node, batch), mayBeDropped: true);
    }

    /// <summary>The watchers hear the end and finish what they write; then nothing is served any more.</summary>
    public async ValueTask DisposeAsync()
    {
        _events.Appended = null;
        _reporter.Dispose();
        await Task.Factory.StartNew(EndThreads, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (_server is not null) await _server.DisposeAsync();
    }

    private void EndThreads()
    {
        // Its last spans are watched as well.
        _spans?.Dispose();
        _thread.Dispose();
    }
}
