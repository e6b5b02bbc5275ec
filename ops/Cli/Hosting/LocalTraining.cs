using System.Globalization;
using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting.Monitoring;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Checkpoints;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor.Health;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>All roles in one process: opens data and run, composes the actors, waits for the end.</summary>
public static class LocalTraining
{
    /// <param name="run">Validated.</param>
    /// <param name="folder">The run's folder, claimed: gets commits.jsonl, checkpoints, the resolved facts and the events.</param>
    /// <param name="stop">Finishes the open step, writes a checkpoint, then ends the run with <see cref="RunStoppedException"/>.</param>
    /// <exception cref="UserMistakeException">Data, device or options that cannot work.</exception>
    /// <exception cref="ClusterException">The run failed.</exception>
    public static async Task<TrainingSummary> RunAsync(ResolvedRun run, RunFolder folder, ITrainingObserver observer, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(observer);
        var options = run.Options;
        using var material = RunMaterial.Open(options);
        var (train, test, engines) = (material.Train, material.Test, material.Engines);
        using var telemetry = TelemetryExport.Start(run.RunId, options.TraceEvery, observer.Said);
        var stepsPerEpoch = StepPlan.StepsPerEpoch(train.Count, options.Batch);
        var total = options.Steps ?? LearningRateSchedule.RecipeSteps(options, train.Count);
        CheckWorld(run, train, engines);
        folder.WriteConfig(Facts(run, train, test, engines, total));

        var opening = run.Resumes is null ? RunOpening.New : RunOpening.Resume(folder, engines.Layout, total, observer);
        if (opening.Finished is { } finished) return FinishedBefore(finished, engines.Layout, opening.Early, total, train.Count, stepsPerEpoch, options.Batch, observer);

        var plan = PlanOf(run, train, test, engines.Layout, total) with { CounterBase = opening.CounterBase };
        var description = Description(options, plan, engines.Layout, train, opening.Version);
        observer.Starting(run, description);
        using var store = new RunStore(folder.Location, new StoredCheckpoints(folder.Location, engines.Layout));
        var writer = plan.Checkpoints.IsOn
            ? new CheckpointKeeper(CheckpointStore.OpenForWriting(folder.Location), engines.Layout, store, run, plan, engines.Fingerprint, opening.CounterBase)
            : null;
        using var metrics = MetricsCsv.Open(Path.Combine(folder.Location, MetricsCsv.Name), opening.Logged, observer.Said);
        await using var monitoring = await RunMonitoring.OpenAsync(new MonitoringContext(run, folder, plan, engines.Layout, opening.Logged, description, observer.Said) { IsLocal = true, Test = test });
        var listener = new RunListener(plan, folder, observer, metrics) { Monitoring = monitoring, Data = new DataBoundWatch(options, Environment.ProcessorCount) };
        var system = ActorSystem.Create("cluster", ActorConfiguration.Create());
        try
        {
            var coordinator = RunComposition.Create(system, options, plan, engines, train, test, store, listener, writer, monitoring.Look);
            monitoring.Watch(() => coordinator.Ask<ActorIdentity>(new Identify(null), Turns.Patience));
            await using var stopping = stop.Register(() =>
            {
                monitoring.Leaving("it was asked to stop");
                coordinator.Tell(new StopRun("interrupted"));
            });
            using var asked = CheckpointSignal.Listen(() => coordinator.Tell(new CoordinatorActor.CheckpointNow("SIGUSR1")));
            await listener.Completion;
            store.Flush();
            return listener.Interrupted ? throw new RunStoppedException(listener.Summary()) : ResultOf(listener, folder, engines.Layout);
        }
        finally
        {
            await system.Terminate();
            system.Dispose();
        }
    }

    /// <summary>What the run leaves behind: its last version, or the best one when it stopped early.</summary>
    internal static TrainingSummary ResultOf(RunListener listener, RunFolder folder, ParameterLayout layout) =>
        listener.Early is { } early ? EarlyEnd.Restore(folder.Location, layout, early, listener.Summary()) : listener.Summary();

    /// <summary>A resumed run must find data, layout and arithmetic as it left them.</summary>
    internal static void CheckWorld(ResolvedRun run, IDataset train, IEngineSource engines)
    {
        if (run.Resumes is not { } stored) return;
        var differences = ResumeCheck.Differences(stored, new RunIdentity(train.Count, train.Fingerprint, engines.Layout.Hash, engines.Fingerprint));
        if (differences.Count == 0) return;
        throw new UserMistakeException(string.Join('\n', differences.Select(d => $"{run.OutDirectory} cannot be resumed: {d}")));
    }

    internal static Dictionary<string, string> Facts(ResolvedRun run, IDataset train, IDataset test, IEngineSource engines, long total)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["run-id"] = run.RunId,
            ["training-samples"] = Text(train.Count),
            ["test-samples"] = Text(test.Count),
            ["steps-per-epoch"] = Text(StepPlan.StepsPerEpoch(train.Count, run.Options.Batch)),
            ["total-steps"] = Text(total),
            ["evaluation-steps"] = Text(EvalEveryOf(run, train, test)),
            [ConfigReader.SampleOrderFact] = train.Order.ToString(),
            ["data-fingerprint"] = train.Fingerprint,
            ["parameters"] = Text(engines.Layout.ParameterFloats),
            ["layout-hash"] = engines.Layout.Hash,
            ["numeric-fingerprint"] = engines.Fingerprint,
            ["numerics"] = engines.Numerics,
        };
        return facts;

        static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
    }

    internal static RunPlan PlanOf(ResolvedRun run, IDataset train, IDataset test, ParameterLayout layout, long total)
    {
        var options = run.Options;
        var schedule = LearningRateSchedule.For(options, train.Count);
        var rules = new StepRules(options.Ps, layout.ParameterChunkCount, StepScaling.Of(options.Optimizer, layout, train.Count), PolicyOf(options.NonFinite), StragglerRules.Default) { AuditEvery = options.AuditEvery };
        var testBatches = !options.Evaluate ? 0 : EvaluationSubset.Of(test, options.EvalSamples).Batches(EvaluationBatches.BatchSizeFor(test.Shape));
        var evalEvery = EvalEveryOf(run, train, test);
        var checkpoints = options.CheckpointEvery switch
        {
            null => new CheckpointPolicy(0, Limits.CheckpointSeconds),
            0 => CheckpointPolicy.Never,
            { } steps => new CheckpointPolicy(steps, 0),
        };
        return new RunPlan(
            run.RunId, options.Seed, layout, train.Count, options.Batch, options.Microbatches, total, options.Workers, rules, new TermRules(1, 0, 0), schedule,
            testBatches, evalEvery, checkpoints)
        { EarlyStopping = options.EarlyStopping, EvaluatesAverage = options.Optimizer.EmaDecay > 0, LookEvery = options.TensorBoard ? options.HistogramEvery : 0 };
    }

    /// <summary>Steps between evaluations; where the rate or the end hangs on them and nobody said how often, an epoch's.</summary>
    /// <exception cref="UserMistakeException">They are needed, and there is nothing to evaluate on.</exception>
    private static long EvalEveryOf(ResolvedRun run, IDataset train, IDataset test)
    {
        var options = run.Options;
        var need = options.EarlyStopping.Patience > 0 ? $"--patience {options.EarlyStopping.Patience}"
            : LearningRateSchedule.For(options, train.Count).FollowsEvaluations ? $"--schedule {options.Schedule.Kind}"
            : null;
        if (need is null) return options.EvalEvery;
        if (test.Count == 0 || !options.Evaluate) throw new UserMistakeException($"{need} hangs on evaluations, and --data {options.Data} has no test split to make them on: leave it out, or take a data set with one");
        return options.EvalEvery > 0 ? options.EvalEvery : StepPlan.StepsPerEpoch(train.Count, options.Batch);
    }

    private static NonFinitePolicy PolicyOf(string word) => word switch
    {
        "skip" => NonFinitePolicy.Skip,
        "halt" => NonFinitePolicy.Halt,
        _ => NonFinitePolicy.Recompute,
    };

    internal static string Description(RunOptions options, RunPlan plan, ParameterLayout layout, IDataset train, WeightsVersion from)
    {
        var start = from.Value > 0 ? $"steps {from.Value + 1:N0} to {plan.TotalSteps:N0}" : $"{plan.TotalSteps:N0} {Plural(plan.TotalSteps, "step")}";
        return $"{options.Model}, {layout.ParameterFloats:N0} parameters; {train.Name}, {train.Count:N0} images; {start} of {options.Batch}; "
            + $"{options.Workers} {Plural(options.Workers, "worker")}{(options.DevicesPerWorker > 1 ? $" of {options.DevicesPerWorker} devices" : "")}, {options.Ps} parameter {Plural(options.Ps, "shard")}";

        static string Plural(long count, string word) => count == 1 ? word : word + "s";
    }

    /// <summary>The run had reached its end before: its hash, nothing else.</summary>
    internal static TrainingSummary FinishedBefore(LoadedCheckpoint finished, ParameterLayout layout, EarlyEnd? early, long total, int samples, int stepsPerEpoch, int batch, ITrainingObserver observer)
    {
        using var loaded = finished;
        var steps = early?.StoppedAt ?? total;
        observer.Said(early is null ? $"All {total} steps were done before; {loaded.Path} holds the result." : $"The run stopped early before, at step {steps}; {loaded.Path} holds the result.");
        var seen = (steps / stepsPerEpoch * samples) + (steps % stepsPerEpoch * batch);
        return new TrainingSummary(steps, (double)seen / samples, EarlyEnd.HashOf(loaded, layout), 0, double.NaN, null, TimeSpan.Zero) { WasFinished = true, Early = early };
    }
}

/// <summary>The run has failed, not its process: the same start would come to the same end.</summary>
public sealed class RunFailedException : ClusterException
{
    public RunFailedException(string message) : base(message) { }
    public RunFailedException(string message, Exception inner) : base(message, inner) { }
    public RunFailedException() { }

    /// <summary>Another coordinator carries the run: it goes on, without this process.</summary>
    public bool IsSuperseded { get; init; }
}

/// <summary>The run was interrupted; what it had done by then is in the summary.</summary>
public sealed class RunStoppedException : ClusterException
{
    public RunStoppedException(TrainingSummary summary) : base($"interrupted after step {summary?.Steps}; 'train --resume' goes on from there") => Summary = summary;
    public RunStoppedException(string message) : base(message) { }
    public RunStoppedException(string message, Exception inner) : base(message, inner) { }
    public RunStoppedException() { }

    public TrainingSummary? Summary { get; }
}
