using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting.Monitoring;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Hosting;

/// <summary>From the coordinator's reports to the display, events.jsonl and the summary. Called on the coordinator's thread.</summary>
internal sealed class RunListener(RunPlan plan, RunFolder folder, ITrainingObserver observer, MetricsCsv metrics) : IRunListener
{
    /// <summary>Steps that the displayed rate and the estimate look back on.</summary>
    private const int Window = 20;

    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<(int Samples, TimeSpan Time)> _recent = new();
    private TimeSpan _training;
    private long _samples;
    private long _timedSamples;
    private CommitRecord? _last;
    private EvaluationResult? _test;
    private readonly long _started = TimeProvider.System.GetTimestamp();

    public Task Completion => _completion.Task;
    public StepId LastStep { get; private set; }
    public bool Interrupted { get; private set; }

    /// <summary>Whoever watches the run; null = nobody.</summary>
    public RunMonitoring? Monitoring { get; init; }

    /// <summary>Notices when the devices wait for their images; null = nobody looks.</summary>
    public DataBoundWatch? Data { get; init; }

    /// <summary>Told of every step whose leases are out; null = nobody wants to know.</summary>
    public Action<StepId>? OnBegun { get; init; }

    /// <summary>Told of every step that is in the log.</summary>
    public Action<StepId>? OnCommitted { get; init; }

    /// <summary>Told of a worker that is to be killed and started again, and why.</summary>
    public Action<WorkerId, string>? OnStuck { get; init; }

    /// <summary>How the run ended before its last step; null when it did not.</summary>
    public EarlyStop? Early { get; private set; }

    private string? _hash;

    private TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_started);

    public void Begun(StepId step)
    {
        OnBegun?.Invoke(step);
        Monitoring?.Begun(step);
    }

    public void Worked(StepId step, TimeSpan waited, TimeSpan computed)
    {
        if (Data?.Committed(waited.TotalMilliseconds, computed.TotalMilliseconds) is { } sentence) Said("data-bound", "coordinator", sentence);
    }

    public void Committed(CommitRecord record, TimeSpan sincePrevious, bool replayed)
    {
        OnCommitted?.Invoke(record.Step);
        _last = record;
        _samples += record.Samples;
        // The first step pays for building kernels and filling buffers; it is not a rate.
        var first = _samples == record.Samples;
        if (!first)
        {
            _training += sincePrevious;
            _timedSamples += record.Samples;
            _recent.Enqueue((record.Samples, sincePrevious));
            if (_recent.Count > Window) _recent.Dequeue();
        }
        var seconds = _recent.Sum(static r => r.Time.TotalSeconds);
        var rate = seconds > 0 ? _recent.Sum(static r => r.Samples) / seconds : 0;
        var remaining = _recent.Count == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((plan.TotalSteps - record.Step.Value) * seconds / _recent.Count);
        metrics.Committed(record, rate, Elapsed);
        Monitoring?.Committed(record, sincePrevious, replayed, rate);
        observer.Committed(new TrainingProgress(
            record.Step.Value, plan.TotalSteps, record.Epoch, EpochsAt(record.Step),
            record.Loss, record.Accuracy, record.LearningRate, record.GradNorm, rate, Elapsed, remaining));
    }

    public void Checkpointed(CheckpointWritten checkpoint)
    {
        Monitoring?.Checkpointed(checkpoint);
        folder.Events.Append("checkpoint", $"Checkpoint of step {checkpoint.Version} written in {checkpoint.Took.TotalSeconds:0.00} s.", "coordinator");
    }

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions)
    {
        _test = new EvaluationResult(totals.Version.Value, totals.Loss, totals.Accuracy, totals.Top5, totals.Samples);
        metrics.Evaluated(_test);
        Monitoring?.Evaluated(totals, predictions);
        observer.Evaluated(_test);
    }

    public void Said(string kind, string node, string sentence)
    {
        folder.Events.Append(kind, sentence, node);
        observer.Said(sentence);
    }

    public void Stuck(WorkerId worker, string reason) => OnStuck?.Invoke(worker, reason);

    public void Ended(RunOutcome outcome)
    {
        LastStep = outcome.Last;
        _hash = outcome.StateSha256;
        Early = outcome.Early;
        Monitoring?.Ended(outcome);
        switch (outcome.End)
        {
            case RunEnd.Finished:
                _completion.TrySetResult();
                break;
            case RunEnd.Stopped:
                Interrupted = true;
                _completion.TrySetResult();
                break;
            case RunEnd.UserMistake:
                _completion.TrySetException(new UserMistakeException(outcome.Reason));
                break;
            default:
                _completion.TrySetException(new RunFailedException(outcome.Reason) { IsSuperseded = outcome.End == RunEnd.SteppedDown });
                break;
        }
    }

    private double EpochsAt(StepId step)
    {
        if (step.Value == 0) return 0;
        var at = plan.PlanOf(step);
        return at.Epoch + (double)(at.FirstPosition + at.SampleCount) / plan.Samples;
    }

    public TrainingSummary Summary()
    {
        return new TrainingSummary(
            LastStep.Value, EpochsAt(LastStep), _hash ?? "", _training > TimeSpan.Zero ? _timedSamples / _training.TotalSeconds : 0,
            _last?.Loss ?? double.NaN, _test, Elapsed)
        {
            Clipping = plan.Rules.Scaling.Clips ? new ClippingShare(metrics.ClippedSteps, metrics.Steps) : null,
            DataWait = Data is { } data && double.IsFinite(data.Share) ? data.Share : null,
        };
    }
}
