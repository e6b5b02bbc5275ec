using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// Records every span of this process that ends: whoever ends one pays for a queue entry, a thread of its own makes
/// records of them ten times a second. It asks for data and leaves the Recorded flag to the exporter's sampler. Bounded:
/// what does not fit is dropped and counted.
/// </summary>
public sealed class SpanRecorder : IDisposable
{
    /// <summary>One wake-up for all that gathered meanwhile.</summary>
    private const int PauseMilliseconds = 100;

    /// <summary>Spans that wait: a second of a thousand steps with sixteen spans each, some 15 MB.</summary>
    private const int MaxWaiting = 16_384;

    private readonly ActivityListener _listener;
    private readonly Action<SpanBatch> _recorded;
    private readonly ManualResetEventSlim _over = new();
    private readonly Thread _thread;
    /// <summary>Without a lock: a thread that trains must not wait for one that was interrupted while it held it.</summary>
    private readonly ConcurrentQueue<Activity> _waiting = new();
    private int _count;
    private long _dropped;
    private bool _isClosed;

    private SpanRecorder(Action<SpanBatch> recorded)
    {
        _recorded = recorded;
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ClusterTelemetry.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = Ended,
        };
        ActivitySource.AddActivityListener(_listener);
        _thread = new Thread(Run) { Name = "spans", IsBackground = true };
        _thread.Start();
    }

    /// <param name="recorded">Called on the recorder's own thread, in order.</param>
    /// <returns>Null when <c>OTEL_SDK_DISABLED</c> is true: then nothing is traced.</returns>
    public static SpanRecorder? Start(Action<SpanBatch> recorded) =>
        IsDisabled ? null : new SpanRecorder(recorded);

    /// <summary>As OpenTelemetry has it.</summary>
    public static bool IsDisabled => string.Equals(Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    private void Ended(Activity activity)
    {
        if (Interlocked.Increment(ref _count) <= MaxWaiting)
        {
            _waiting.Enqueue(activity);
            return;
        }
        Interlocked.Decrement(ref _count);
        Interlocked.Increment(ref _dropped);
    }

    private void Run()
    {
        while (!_over.Wait(PauseMilliseconds)) Deliver();
        Deliver();
    }

    private void Deliver()
    {
        var records = new List<SpanRecord>();
        try
        {
            // At most what there is room for: others go on ending spans.
            while (records.Count < MaxWaiting && _waiting.TryDequeue(out var activity))
            {
                Interlocked.Decrement(ref _count);
                records.Add(SpanConversion.Of(activity));
            }
            if (records.Count > 0) _recorded(new SpanBatch(records, Interlocked.Read(ref _dropped)));
        }
        catch (Exception)
        {
            // Whatever it is, it is no reason to end the process that trains; the count is told with the next batch.
            Interlocked.Add(ref _dropped, records.Count);
        }
    }

    /// <summary>Hands over what has ended by now, then records no more.</summary>
    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        _listener.Dispose();
        _over.Set();
        _thread.Join();
        _over.Dispose();
    }
}
