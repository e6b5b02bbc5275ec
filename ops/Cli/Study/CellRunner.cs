using System.Diagnostics;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Verbs;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Study;

/// <summary>Evaluates the newest checkpoint of a run's folder on what its options say.</summary>
internal delegate Task<EvaluationResult> CellEvaluation(RunOptions options, string folder, CancellationToken stop);

/// <summary>Trains one cell: an ordinary run in a folder of its own, begun or gone on with, then measured.</summary>
/// <param name="folder">Of the study.</param>
/// <param name="placed">What the cells share, with the workers, shards and devices of today.</param>
internal sealed class CellRunner(TrainingJob job, CellEvaluation evaluate, StudyPlan plan, string folder, RunOptions placed)
{
    private const string CellsName = "cells";

    public static string FolderOf(string study, StudyCell cell) => Path.Combine(study, CellsName, cell.Name);

    /// <returns>What the cell came to; it is in its folder too.</returns>
    /// <exception cref="UserMistakeException">The folder holds another run, or something is missing on this machine.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered, behind a checkpoint.</exception>
    /// <exception cref="ClusterException">The run failed for another reason than that it diverged.</exception>
    public async Task<CellOutcome> RunAsync(StudyCell cell, ITrainingObserver observer, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(cell);
        var run = Resolve(cell);
        var clock = Stopwatch.StartNew();
        var earlier = SecondsIn(ReadLog(run.OutDirectory));
        var evaluations = new Evaluations(observer);
        string? hash = null, failure = null;
        using (var claimed = run.Resumes is null ? RunFolder.Create(run) : RunFolder.Resume(run))
        {
            try
            {
                var summary = await RunSession.RunAsync(job, run, claimed, evaluations, stop);
                hash = summary.StateSha256;
                // A process that died between its last checkpoint and its last word left no evaluation of the result.
                if (evaluations.Of(plan.Steps) is null) evaluations.Add(await evaluate(run.Options, run.OutDirectory, stop));
            }
            catch (RunFailedException e) when (e.Message.Contains("non-finite", StringComparison.Ordinal))
            {
                failure = "diverged: a gradient was not finite";
            }
        }
        var log = ReadLog(run.OutDirectory);
        var outcome = CellMeasure.Of(
            cell.Name, log, plan.StepsPerEpoch, run.Options.Optimizer.ClipParameterNorm > 0, evaluations.In(run.OutDirectory), failure is null ? WeightNorm.Of(run.OutDirectory) : null,
            Math.Round(earlier + clock.Elapsed.TotalSeconds, 3), hash, failure);
        Directory.CreateDirectory(run.OutDirectory);      // a run that diverged in its first step has taken its folder back
        StudyFolder.Replace(Path.Combine(run.OutDirectory, CellOutcome.FileName), outcome.ToJson());
        return outcome;
    }

    /// <summary>A new run, or the one that the cell's folder holds.</summary>
    private ResolvedRun Resolve(StudyCell cell)
    {
        var at = FolderOf(folder, cell);
        var options = plan.OptionsOf(cell, placed) with { Out = at };
        var config = new FileInfo(Path.Combine(at, RunFolder.ConfigName));
        if (config is { Exists: true, Length: > 0 })
        {
            var stored = ConfigReader.Read(at);
            var differences = ResumeCheck.Differences(stored.Options, options);
            if (differences.Count > 0) throw new UserMistakeException(string.Join('\n', differences.Select(d => $"cell {cell.Name} of {folder} cannot go on: {d}")));
            return new ResolvedRun(options, stored.Origins, at, stored.Description) { Resumes = stored, RunId = stored.RunId ?? Guid.NewGuid().ToString("N") };
        }
        // Killed while it claimed the folder: nothing was trained.
        if (config.Exists) config.Delete();
        var environment = new ResolveEnvironment();
        var mistakes = new List<string>();
        var place = OutFolder.Choose(options, environment, mistakes);
        HelpVerb.Refuse(mistakes);
        var set = cell.Settings.Select(static setting => setting.Key).ToHashSet(StringComparer.Ordinal);
        var origins = OptionTable.Rows.ToDictionary(static row => row.Key, row => set.Contains(row.Key) ? $"cell {cell.Name}" : $"study {plan.Study}");
        return new ResolvedRun(options, origins, place, $"cell {cell.Name} of a study of {plan.Study}");
    }

    private static IReadOnlyList<CommitLine> ReadLog(string run)
    {
        var path = RunStore.LogOf(run);
        return File.Exists(path) ? CommitLog.Read(File.ReadAllBytes(path)).Lines : [];
    }

    private static double SecondsIn(IEnumerable<CommitLine> log) => log.Sum(static line => double.IsFinite(line.Milliseconds) ? Math.Max(0, line.Milliseconds) : 0) / 1000;

    /// <summary>Keeps the evaluations of this process and hands everything on.</summary>
    private sealed class Evaluations(ITrainingObserver next) : ITrainingObserver
    {
        private readonly SortedDictionary<long, EvaluationResult> _results = [];

        public void Add(EvaluationResult result)
        {
            lock (_results) _results[result.Step] = result;
        }

        public EvaluationResult? Of(long step)
        {
            lock (_results) return _results.GetValueOrDefault(step);
        }

        /// <summary>With those of earlier processes, out of metrics.csv, which has no number of samples.</summary>
        public IReadOnlyList<EvaluationResult> In(string run)
        {
            lock (_results)
            {
                foreach (var earlier in MetricsCsv.EvaluationsIn(Path.Combine(run, MetricsCsv.Name))) _results.TryAdd(earlier.Step, earlier);
                return [.. _results.Values];
            }
        }

        public void Starting(ResolvedRun run, string description) => next.Starting(run, description);

        public void Committed(TrainingProgress progress) => next.Committed(progress);

        public void Evaluated(EvaluationResult result)
        {
            Add(result);
            next.Evaluated(result);
        }

        public void Said(string sentence) => next.Said(sentence);
    }
}
