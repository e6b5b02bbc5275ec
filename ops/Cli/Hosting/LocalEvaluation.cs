using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>
/// Evaluates weights over all workers, with the actors of a run that has no step left to do: the coordinator loads the
/// state into the shards, deals the batches of the test split to the workers, and ends. Leaves no file behind.
/// </summary>
internal static class LocalEvaluation
{
    /// <param name="options">Validated; what trains (batch, optimizer, schedule) has no effect on the result.</param>
    /// <param name="weights">A run's folder, or a safetensors file.</param>
    /// <param name="last">The weights themselves even where the run kept their average.</param>
    /// <param name="say">Told what a person should know, as a sentence; from any thread.</param>
    /// <exception cref="UserMistakeException">Data, device, weights or options that cannot work.</exception>
    /// <exception cref="ClusterException">The evaluation failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered.</exception>
    public static async Task<EvaluationReport> RunAsync(RunOptions options, string weights, bool last, Action<string> say, CancellationToken stop)
    {
        var (train, test) = Datasets.Open(DataRequest.Of(options));
        using var trainSet = train;
        using var testSet = test;
        if (test.Count == 0) throw new UserMistakeException($"--data {options.Data}: the data set has no test split to evaluate on");
        CheckChannels(options.Augmentation, test);
        var runId = Guid.NewGuid().ToString("N");
        using var telemetry = TelemetryExport.Start(runId);
        var engines = new EngineFactory(options, test);
        using var source = StateSource.Open(weights, engines.Layout, last, say);
        var plan = PlanOf(options, runId, train, test, engines.Layout, source);
        var listener = new EvaluationListener(say);
        using var store = new LoadedState(LoadShard.First(Term.First, source.State.Share(), default) with { Version = source.Version, AppliedSteps = source.AppliedSteps });
        var system = ActorSystem.Create("cluster", ActorConfiguration.Create());
        try
        {
            RunComposition.Create(system, options, plan, engines, train, test, store, listener, writer: null);
            var (totals, predictions) = await listener.Completion.WaitAsync(stop);
            return EvaluationReport.Of(options, source.Path, totals, predictions, test) with { IsAverage = source.IsAverage };
        }
        finally
        {
            await system.Terminate();
            system.Dispose();
        }
    }

    private static RunPlan PlanOf(RunOptions options, string runId, IDataset train, IDataset test, ParameterLayout layout, StateSource source)
    {
        var rules = new StepRules(options.Ps, layout.ParameterChunkCount, StepScaling.Off, NonFinitePolicy.Recompute, StragglerRules.Default);
        var batches = EvaluationSubset.Of(test, options.EvalSamples).Batches(EvaluationBatches.BatchSizeFor(test.Shape));
        // No step is taken, so the schedule is never asked.
        var schedule = LearningRateSchedule.Create(new ScheduleOptions(), totalSteps: 1, stepsPerEpoch: 1);
        return new RunPlan(
            runId, options.Seed, layout, train.Count, options.Batch, options.Microbatches, TotalSteps: source.Version.Value, options.Workers, rules, new TermRules(1, 0, 0), schedule,
            batches, EvalEvery: 0, CheckpointPolicy.Never);
    }

    private static void CheckChannels(AugmentationOptions augmentation, IDataset data)
    {
        foreach (var (flag, values) in new[] { ("--mean", augmentation.Mean), ("--std", augmentation.Std) })
        {
            if (values is not null && values.Count != data.Shape.Channels)
                throw new UserMistakeException($"{flag} has {values.Count} {(values.Count == 1 ? "number" : "numbers")}, and the images of {data.Name} have {data.Shape.Channels} channels: give one for each");
        }
    }
}

/// <summary>Waits for the one evaluation. Called on the coordinator's thread.</summary>
internal sealed class EvaluationListener(Action<string> say) : IRunListener
{
    private readonly TaskCompletionSource<(EvaluationTotals, IReadOnlyList<int>)> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (EvaluationTotals, IReadOnlyList<int>)? _result;

    /// <summary>Totals, and the class given to each sample in order.</summary>
    public Task<(EvaluationTotals Totals, IReadOnlyList<int> Predictions)> Completion => _completion.Task;

    public void Begun(StepId step) => throw new ClusterException($"an evaluation began step {step}");

    public void Committed(CommitRecord record, TimeSpan sincePrevious, bool replayed) => throw new ClusterException($"an evaluation committed step {record.Step}");

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions) => _result = (totals, predictions);

    public void Checkpointed(CheckpointWritten checkpoint) => throw new ClusterException($"an evaluation wrote the checkpoint of step {checkpoint.Version}");

    /// <summary>That the term begins and workers join is the everyday course of an evaluation, and no news.</summary>
    public void Said(string kind, string node, string sentence)
    {
        if (kind is not ("term" or "worker-joined")) say(sentence);
    }

    public void Ended(RunOutcome outcome)
    {
        if (outcome.End == RunEnd.UserMistake) _completion.TrySetException(new UserMistakeException(outcome.Reason));
        else if (outcome.End == RunEnd.Finished && _result is { } result) _completion.TrySetResult(result);
        else _completion.TrySetException(new ClusterException(outcome.Reason));
    }
}
