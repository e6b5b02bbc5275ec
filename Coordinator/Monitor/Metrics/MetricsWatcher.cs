using System.Reflection;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using static Cluster.Contracts.ClusterTelemetry;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>Turns what happens in a run into figures.</summary>
/// <param name="traceEvery">Steps whose trace is kept lead to it from the step histogram: every so many; 0 = none is known beforehand.</param>
/// <param name="hasCheckpoints">Whether the run writes any: one that does not has none that could be old.</param>
public sealed class MetricsWatcher(RunMetrics metrics, long plannedSteps, long traceEvery, bool hasCheckpoints, TimeProvider time) : IRunWatcher
{
    /// <summary>Spans that are parts of steps: a closed set, whatever a node sends.</summary>
    private static readonly HashSet<string> Parts =
    [
        .. typeof(Spans).GetFields(BindingFlags.Public | BindingFlags.Static).Where(static f => f.IsLiteral).Select(static f => (string)f.GetRawConstantValue()!)
            .Except([Spans.Step, Spans.Evaluation, Spans.Evaluate, Spans.Initialize]),
    ];

    private readonly NodeSpeeds _speeds = new();
    private readonly long _started = time.GetTimestamp();
    private long? _checkpointed;
    private (StepId Step, DateTimeOffset At)? _begun;

    /// <summary>News that watchers were too slow for, so far; null = nobody counts.</summary>
    public Func<long>? DroppedCalls { get; set; }

    private long _dropped;

    public void Begun(StepId step, DateTimeOffset at)
    {
        // A step that is opened again takes as long as all its attempts together.
        if (_begun?.Step != step) _begun = (step, at);
        metrics.Set(PlannedSteps, plannedSteps);
    }

    public void Committed(CommittedStep step)
    {
        var record = step.Record;
        if (_begun is { } begun && begun.Step == record.Step)
        {
            Exemplar? exemplar = traceEvery > 0 && record.Step.Value % traceEvery == 0 && !step.IsReplayed
                ? new Exemplar(record.Step, (step.At - begun.At).TotalSeconds, step.At) : null;
            metrics.Observe(StepDuration, (step.At - begun.At).TotalSeconds, exemplar: exemplar);
        }
        metrics.Add(CommittedSteps, 1);
        metrics.Add(SkippedSteps, record.Applied ? 0 : 1);
        metrics.Add(ClusterTelemetry.Samples, record.Samples);
        metrics.Add(LeftOutSamples, record.LeftOut?.Count ?? 0);
        metrics.Set(LastStep, record.Step.Value);
        metrics.Set(Throughput, step.ImagesPerSecond);
        metrics.Set(Loss, record.Loss);
        metrics.Set(Accuracy, record.Accuracy);
        metrics.Set(LearningRate, record.LearningRate);
        metrics.Set(GradientNorm, record.GradNorm);
        metrics.Set(ClipScale, record.Scale);
    }

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions)
    {
        metrics.Set(TestLoss, totals.Loss);
        metrics.Set(TestAccuracy, totals.Accuracy);
    }

    public void Checkpointed(WeightsVersion version, TimeSpan took)
    {
        _checkpointed = time.GetTimestamp();
        metrics.Observe(CheckpointDuration, took.TotalSeconds);
    }

    public void Happened(RunEvent happened) => metrics.Add(Events, 1, happened.Kind);

    public void Reported(string node, NodeReport report)
    {
        if (report.Figures is null) return;
        var now = time.GetUtcNow();
        metrics.Reported(node, report, now);
        _speeds.Take(node, report, now);
        if (_speeds.Ratio(now) is { } ratio) metrics.Set(StragglerRatio, ratio);
        // Once a second is often enough, and reports come once a second.
        if (hasCheckpoints) metrics.Set(CheckpointAge, time.GetElapsedTime(_checkpointed ?? _started).TotalSeconds);
        if (DroppedCalls?.Invoke() is not { } dropped) return;
        metrics.Add(ClusterTelemetry.DroppedCalls, dropped - _dropped);
        _dropped = dropped;
    }

    public void Traced(string process, SpanBatch batch)
    {
        metrics.Reached(DroppedSpans, process, batch.Dropped);
        // Roots are wholes. What a node sends may hold nothing where there should be something.
        foreach (var span in batch.Spans ?? [])
            if (span is { ParentId: not 0, Name: not null } && Parts.Contains(span.Name)) metrics.Observe(PartDuration, span.DurationNanoseconds / 1e9, process, span.Name);
    }

    public void Dispose() { }
}
