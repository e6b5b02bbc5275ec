using System.Globalization;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Study;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Tests.Study;

public sealed class LearningRateFinderSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Rates_rise_by_one_factor_from_the_lowest_to_the_highest()
    {
        var options = new RangePlan(1e-4, 1, 41).OptionsOf(new RunOptions { Schedule = new ScheduleOptions { Kind = "one-cycle", WarmupEpochs = 1 }, Epochs = 0.001 });
        var schedule = LearningRateSchedule.For(options, 50_000);
        var rates = Enumerable.Range(1, 41).Select(step => schedule.At(new StepId(step))).ToArray();
        Assert.Equal((1e-4, 1.0), (rates[0], rates[^1]));
        Assert.All(rates.Zip(rates.Skip(1)), static pair => Assert.Equal(Math.Pow(10, 0.1), pair.Second / pair.First, 12));
    }

    /// <summary>A job that goes on until it is told to stop.</summary>
    private static async Task<TrainingSummary> Diverging(ResolvedRun run, RunFolder folder, ITrainingObserver observer, CancellationToken stop)
    {
        var schedule = LearningRateSchedule.For(run.Options, 50_000);
        for (var step = 1L; step <= run.Options.Steps; step++)
        {
            var rate = schedule.At(new StepId(step));
            observer.Committed(new TrainingProgress(step, run.Options.Steps.Value, 0, 0, rate < 0.1 ? 2.3 - 10 * rate : 100, 0.1, rate, 1, 1, TimeSpan.Zero, TimeSpan.Zero));
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromMinutes(1), stop));
        throw new RunStoppedException("interrupted");
    }

    [Fact]
    public async Task Run_is_ended_when_its_loss_has_diverged()
    {
        var run = _world.Resolve(null, "--data", "synthetic", "--out", _world.PathOf("run"));
        run = run with { Options = new RangePlan(1e-5, 10, 60).OptionsOf(run.Options) };
        var test = await new LearningRateFinder(Diverging).RunAsync(run, new ObserverOfNothing(), CancellationToken.None);
        Assert.True(test.HasDiverged);
        Assert.InRange(test.Points.Length, 40, 50);
    }

    [Fact]
    public async Task Run_that_a_person_stops_ends_as_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var run = _world.Resolve(null, "--data", "synthetic", "--out", _world.PathOf("run"));
        run = run with { Options = new RangePlan(1e-5, 1e-3, 20).OptionsOf(run.Options) };
        var finding = new LearningRateFinder(Diverging).RunAsync(run, new ObserverOfNothing(), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finding);
    }

    [Fact]
    public void Real_test_trains_with_rising_rates_and_writes_what_it_found()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "study", "lr-find", "--data", "synthetic", "--batch", "16", "--microbatches", "2", "--workers", "1", "--steps", "12", "--min-lr", "1e-3", "--max-lr", "1", "--out", "found");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        var folder = _world.PathOf("found");
        var rows = File.ReadAllLines(Path.Combine(folder, "lr-find.csv"))[1..].Select(static row => row.Split(',')).ToArray();
        var log = CommitLog.Read(File.ReadAllBytes(Path.Combine(folder, "run", "commits.jsonl"))).Lines.Select(static line => line.Record).ToArray();
        Assert.Equal(log.Take(rows.Length).Select(static r => (r.LearningRate, r.Loss)), rows.Select(static row => (double.Parse(row[1], CultureInfo.InvariantCulture), double.Parse(row[2], CultureInfo.InvariantCulture))));
        Assert.Equal(1e-3, log[0].LearningRate);
        Assert.True(File.Exists(Path.Combine(folder, "lr-find.json")) && File.Exists(Path.Combine(folder, "lr-find.html")));
    }

    [Fact]
    public void Mistakes_are_told_together_and_nothing_is_written()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "study", "lr-find", "--data", "synthetic", "--min-lr", "0", "--max-lr", "1e-7", "--steps", "3", "--lr", "0.1", "--patience", "2", "--out", "found");
        Assert.Equal(2, outcome.ExitCode);
        foreach (var mistake in (string[])["--min-lr 0: must be a number above 0", "--max-lr 0.0000001 must be above --min-lr 0.00001", "--steps 3: a range test needs at least 10", "--lr 0.1: lr-find sets the rates itself", "--patience 2: lr-find"])
            Assert.Contains(outcome.ErrorLines, line => line.Contains(mistake, StringComparison.Ordinal));
        Assert.False(Directory.Exists(_world.PathOf("found")));
    }

    private sealed class ObserverOfNothing : ITrainingObserver
    {
        public void Starting(ResolvedRun run, string description) { }
        public void Committed(TrainingProgress progress) { }
        public void Evaluated(EvaluationResult result) { }
        public void Said(string sentence) { }
    }
}
