using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor;
using Cluster.Workers.Data;

namespace Cluster.Cli.Report;

/// <summary>
/// Keeps what a report needs and no log holds: which class each label was given in the last evaluation, and how long the
/// phases of the steps took. Files are written when the run rests from them, and at its end.
/// </summary>
/// <param name="test">What is evaluated; stays the caller's, and outlives this. Null = classes are not known.</param>
/// <param name="logged">Steps that the run had committed before.</param>
/// <param name="say">For a person, once.</param>
internal sealed class ReportKeeper(string folder, RunOptions options, IDataset? test, long logged, TimeProvider time, Action<string> say) : IRunWatcher
{
    /// <summary>Between two writings of evaluation.json: a run may evaluate after every step.</summary>
    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(5);

    /// <summary>Names of spans that are told apart; the program has some twenty.</summary>
    private const int MostPhases = 100;

    private readonly Dictionary<string, PhaseTime> _phases = new(StringComparer.Ordinal);
    private (EvaluationTotals Totals, IReadOnlyList<int> Predictions)? _evaluation;
    private int[]? _labels;
    private readonly long _begun = logged;
    private long _last = logged;
    private long? _written;
    private bool _isTold;

    public void Committed(CommittedStep step) => _last = Math.Max(_last, step.Record.Step.Value);

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions) => _evaluation = (totals, predictions);

    public void Traced(string process, SpanBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        foreach (var span in batch.Spans)
        {
            if (!_phases.TryGetValue(span.Name, out var so) && _phases.Count >= MostPhases) continue;
            _phases[span.Name] = new PhaseTime(so.Count + 1, so.Seconds + span.DurationNanoseconds / 1e9);
        }
    }

    public void Rested()
    {
        if (_evaluation is null || _written is { } at && time.GetElapsedTime(at) < WriteEvery) return;
        _written = time.GetTimestamp();
        Guarded(WriteEvaluation);
    }

    public void Dispose()
    {
        Guarded(WriteEvaluation);
        if (_phases.Count > 0 && _last > _begun) Guarded(WritePhases);
    }

    private void WriteEvaluation()
    {
        if (_evaluation is not { } evaluation || test is null || evaluation.Predictions.Count == 0) return;
        _evaluation = null;
        if (_labels?.Length != evaluation.Predictions.Count) _labels = LabelsOf(test, evaluation.Predictions.Count);
        var (totals, predictions) = evaluation;
        new EvaluationFile(totals.Version.Value, totals.Samples, totals.Loss, totals.Accuracy, totals.Top5, test.ClassNames, EvaluationFile.Count(_labels, predictions)).Write(folder);
    }

    private int[] LabelsOf(IDataset data, int samples)
    {
        var subset = EvaluationSubset.Of(data, options.EvalSamples);
        return [.. Enumerable.Range(0, samples).Select(i => data.LabelOf(subset.SampleAt(i)))];
    }

    private void WritePhases()
    {
        var before = PhaseFile.Read(folder);
        var sum = new Dictionary<string, PhaseTime>(before.Phases, StringComparer.Ordinal);
        foreach (var (name, own) in _phases)
        {
            var so = sum.GetValueOrDefault(name);
            sum[name] = new PhaseTime(so.Count + own.Count, so.Seconds + own.Seconds);
        }
        new PhaseFile(before.Steps + _last - _begun, sum).Write(folder);
    }

    private void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ClusterException)
        {
            if (!_isTold) say($"What {RunReport.Name} tells of classes and phases cannot be kept: {e.Message.ReplaceLineEndings(" ")} Training goes on.");
            _isTold = true;
        }
    }
}
