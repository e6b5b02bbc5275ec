using System.Diagnostics;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// Phase Evaluating: the test set is spread over the workers; no step is open.
public sealed partial class CoordinatorActor
{
    private EvaluationState? _evaluation;
    private EvaluationTotals? _lastEvaluation;
    private TraceContext _evaluationTrace;
    private Activity? _evaluationSpan;

    private void EvaluatingBehaviour()
    {
        Receive<BatchEvaluated>(result =>
        {
            _evaluation = _evaluation!.Advance(result);
            if (!_evaluation.IsComplete) return;
            _evaluationSpan?.Dispose();
            _evaluationSpan = null;
            _lastEvaluation = _evaluation.Totals();
            _listener.Evaluated(_lastEvaluation, [.. _evaluation.Results.SelectMany(static r => r!.Predictions)]);
            if (_lastRecord is { } record && record.Step.Value < _plan.TotalSteps) CheckpointWhenDue(record);
            _lastFinish = _time.GetTimestamp();     // the next step's time does not include the evaluation
            NextStep();
        });
        Receive<WorkerFailed>(failed =>
        {
            Lose(failed);
            if (_ended) return;
            (_evaluation, var grants) = _evaluation!.Lost(failed.Worker, [.. _state.Workers.Keys]);
            Grant(grants);
        });
        Receive<WorkerReady>(ready => Feed(new WorkerJoined(ready.Worker)));
        Receive<StopRun>(stop => _stopping = stop.Reason);
        ReceiveCheckpoints();
        ReceiveLate();
    }

    /// <summary>Copies of the last step's messages that lost a race; the protocol drops and counts them.</summary>
    private void ReceiveLate()
    {
        Receive<LeafDone>(Feed);
        Receive<ShardReduced>(Feed);
        Receive<ShardApplied>(Feed);
        Receive<BudgetSpent>(Feed);
    }

    private void BeginEvaluation(WeightsVersion version)
    {
        Become(EvaluatingBehaviour);
        var trace = StepTrace.StartRoot(_plan.RunId + "/evaluation", new StepId(version.Value), ClusterTelemetry.Spans.Evaluation);
        (_evaluationSpan, _evaluationTrace) = trace;
        (_evaluation, var grants) = EvaluationState.Begin(version, _plan.TestBatches, [.. _state.Workers.Keys]);
        Grant(grants);
    }

    private void Grant(IEnumerable<(WorkerId Worker, IReadOnlyList<int> Batches)> grants)
    {
        foreach (var (worker, batches) in grants)
            Worker(worker).Tell(new EvaluateBatches(_state.Term, _evaluation!.Version, batches, _evaluationTrace));
    }
}
