using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Monitor.TensorBoard;

/// <summary>
/// Writes a run's scalars, and histograms of its weights, as TensorBoard event files. A run that goes on writes a new file
/// that begins behind what the earlier ones hold; steps that a killed process had not written are made up for from the log.
/// </summary>
public sealed class TensorBoardWatcher : IRunWatcher
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);

    private static readonly byte[][] TrainTags =
    [
        "train/loss"u8.ToArray(), "train/accuracy"u8.ToArray(), "train/learning_rate"u8.ToArray(), "train/grad_norm"u8.ToArray(),
        "train/clip_scale"u8.ToArray(), "train/images_per_second"u8.ToArray(), "train/step_seconds"u8.ToArray(),
    ];

    private static readonly byte[][] TestTags = ["test/loss"u8.ToArray(), "test/accuracy"u8.ToArray(), "test/top5"u8.ToArray()];

    /// <summary>Guards the file and the marks: histograms come from the threads that hold snapshots.</summary>
    private readonly Lock _lock = new();

    /// <summary>Held while histograms are made: who asks for a version that another thread is at waits until they are there.</summary>
    private readonly Lock _looking = new();

    private readonly EventFile _file;
    private readonly ParameterLayout _layout;
    private readonly long _histogramEvery;
    private readonly TimeProvider _time;
    private readonly Action<string> _say;
    private long _train, _test, _histogram, _flushed;
    private bool _hasFailed;

    /// <param name="file">Owned from here on.</param>
    /// <param name="marks">What earlier files of the run hold.</param>
    /// <param name="logged">The run's log as far as it goes; steps of it that the files lack are written now.</param>
    /// <param name="histogramEvery">Steps between histograms of the weights; 0 = none.</param>
    /// <param name="say">For a person; any thread.</param>
    public TensorBoardWatcher(EventFile file, EventFileMarks marks, IReadOnlyList<CommitLine> logged, ParameterLayout layout, long histogramEvery, TimeProvider time, Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(marks);
        ArgumentNullException.ThrowIfNull(time);
        _file = file;
        _layout = layout;
        _histogramEvery = histogramEvery;
        _time = time;
        _say = say;
        (_train, _test, _histogram) = (marks.Train, marks.Test, marks.Histogram);
        _flushed = time.GetTimestamp();
        MakeUp(logged, marks.WallTime);
    }

    public void Committed(CommittedStep step)
    {
        lock (_lock) Write(step.Record, step.SincePrevious.TotalSeconds, step.ImagesPerSecond, step.At);
    }

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions)
    {
        ArgumentNullException.ThrowIfNull(totals);
        lock (_lock)
        {
            if (totals.Version.Value <= _test && _test > 0) return;
            _test = totals.Version.Value;
            if (_file.Next() is { } into) EventRecord.WriteScalars(into, _time.GetUtcNow(), totals.Version.Value, TestTags, [totals.Loss, totals.Accuracy, totals.Top5]);
        }
    }

    /// <summary>Histograms of these weights, when they are due and not there yet. Never throws.</summary>
    /// <remarks>Any thread, which pays for them.</remarks>
    /// <param name="parts">The state vector in pieces; valid until the call returns.</param>
    public void Look(WeightsVersion version, IReadOnlyList<ShardSnapshot> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (_histogramEvery == 0 || version.Value == 0 || version.Value % _histogramEvery != 0) return;
        try
        {
            lock (_looking)
            {
                if (version.Value <= _histogram) return;
                _histogram = version.Value;
                var at = _time.GetUtcNow();
                foreach (var (name, counts) in WeightHistograms.Of(_layout, parts))
                    lock (_lock)
                        if (counts.Count > 0 && _file.Next() is { } into) EventRecord.WriteHistogram(into, at, version.Value, EventFileScan.HistogramPrefix + name, counts);
            }
        }
        catch (Exception e)
        {
            // Whatever it is: the run goes on without.
            if (!_hasFailed) _say($"Histograms of step {version} were not made: {e.Message.ReplaceLineEndings(" ")}");
            _hasFailed = true;
        }
    }

    public void Rested()
    {
        var now = _time.GetTimestamp();
        if (_time.GetElapsedTime(_flushed, now) < FlushEvery) return;
        _flushed = now;
        lock (_lock) _file.Flush();
    }

    public void Dispose()
    {
        lock (_lock) _file.Dispose();
    }

    /// <summary>When each of them was committed is not in the log: each follows the one before by the time that it took.</summary>
    private void MakeUp(IReadOnlyList<CommitLine> logged, double lastWallTime)
    {
        var missing = logged.SkipWhile(line => line.Record.Step.Value <= _train).ToList();
        var at = lastWallTime > 0 ? DateTimeOffset.UnixEpoch.AddSeconds(lastWallTime) : _time.GetUtcNow().AddMilliseconds(-missing.Sum(static l => Sane(l.Milliseconds)));
        foreach (var (record, milliseconds) in missing)
        {
            at = at.AddMilliseconds(Sane(milliseconds));
            Write(record, Sane(milliseconds) / 1000, milliseconds > 0 ? record.Samples / milliseconds * 1000 : 0, at);
            if (_file.Waiting > 1 << 20) _file.Flush();
        }

        static double Sane(double milliseconds) => double.IsFinite(milliseconds) ? Math.Clamp(milliseconds, 0, 1e9) : 0;
    }

    private void Write(CommitRecord record, double seconds, double imagesPerSecond, DateTimeOffset at)
    {
        // A step that is replayed, or committed again by a coordinator that took over, has its figures already.
        if (record.Step.Value <= _train) return;
        _train = record.Step.Value;
        if (_file.Next() is not { } into) return;
        EventRecord.WriteScalars(into, at, record.Step.Value, TrainTags, [record.Loss, record.Accuracy, record.LearningRate, record.GradNorm, record.Scale, imagesPerSecond, seconds]);
    }
}
