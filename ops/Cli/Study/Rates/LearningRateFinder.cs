using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>What a range test is asked for.</summary>
/// <param name="Steps">From the lowest rate to the highest; 2 and more.</param>
internal sealed record RangePlan(double Lowest, double Highest, long Steps)
{
    /// <summary>The run of the test: the rate of step t is lowest · (highest / lowest)^((t − 1) / (steps − 1)), nothing else changes it, and nothing but steps is done.</summary>
    public RunOptions OptionsOf(RunOptions run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run with
        {
            Steps = Steps,
            Schedule = new ScheduleOptions { Kind = "exponential", LearningRate = Lowest, Gamma = Highest / Lowest, DecaySteps = Steps - 1 },
            EarlyStopping = new EarlyStoppingOptions(),
            Evaluate = false,
            CheckpointEvery = 0,
            // A gradient that overflows is what the test is after, not a fault.
            NonFinite = "skip",
        };
    }
}

/// <summary>Carries a range test out: an ordinary run, which is ended once its loss has diverged.</summary>
internal sealed class LearningRateFinder(TrainingJob job)
{
    /// <param name="run">With the options of <see cref="RangePlan.OptionsOf"/>; its folder gets the run.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered.</exception>
    /// <exception cref="ClusterException">The run failed.</exception>
    public async Task<RangeTest> RunAsync(ResolvedRun run, ITrainingObserver observer, CancellationToken stop)
    {
        using var folder = RunFolder.Create(run);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watch = new Watch(observer, enough);
        try
        {
            await RunSession.RunAsync(job, run, folder, watch, enough.Token);
        }
        catch (OperationCanceledException) when (watch.Test.HasDiverged && !stop.IsCancellationRequested)
        {
            // It was ended here: the loss has left.
        }
        return watch.Test;
    }

    /// <summary>Reads the losses along and ends the run. Called one step at a time.</summary>
    private sealed class Watch(ITrainingObserver next, CancellationTokenSource enough) : ITrainingObserver
    {
        private volatile RangeTest _test = new();

        public RangeTest Test => _test;

        public void Starting(ResolvedRun run, string description) => next.Starting(run, description);

        public void Committed(TrainingProgress progress)
        {
            ArgumentNullException.ThrowIfNull(progress);
            next.Committed(progress);
            _test = _test.With(progress.Step, progress.LearningRate, progress.Loss);
            // Not on this thread: it is the coordinator's, which is to be told to stop.
            if (_test.HasDiverged && !enough.IsCancellationRequested) _ = Task.Run(enough.Cancel);
        }

        public void Evaluated(EvaluationResult result) => next.Evaluated(result);

        public void Said(string sentence) => next.Said(sentence);
    }
}
