using System.Diagnostics;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>Measures what a step costs with a few real ones: an ordinary run in a folder that is removed again.</summary>
internal static class StudyProber
{
    /// <summary>The first pays for building kernels and filling buffers; the second is measured.</summary>
    private const long Steps = 2;

    /// <summary>One batch of one worker.</summary>
    private const int Images = 64;

    private const string FolderName = "probe";

    /// <summary>Takes back what an interrupted probe left.</summary>
    public static void Clear(string study)
    {
        var folder = Path.Combine(study, FolderName);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    /// <param name="options">Of a cell with this model.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered.</exception>
    /// <exception cref="ClusterException">The run failed.</exception>
    public static async Task<StudyProbe> MeasureAsync(TrainingJob job, string study, RunOptions options, CancellationToken stop)
    {
        var folder = Path.Combine(study, FolderName);
        var run = new ResolvedRun(
            options with { Out = folder, Steps = Steps, Schedule = options.Schedule with { TotalSteps = Steps }, EvalEvery = 0, EvalSamples = Images, CheckpointEvery = 0, AuditEvery = 0 },
            OptionTable.Rows.ToDictionary(static row => row.Key, static _ => "probe"), folder);
        var times = new Times();
        Clear(study);
        try
        {
            using var claimed = RunFolder.Create(run);
            await RunSession.RunAsync(job, run, claimed, times, stop);
            return times.Of(options.Model);
        }
        finally
        {
            Clear(study);
        }
    }

    private sealed class Times : ITrainingObserver
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly List<TimeSpan> _commits = [];
        private TimeSpan _evaluated;
        private long _images = 1;

        public void Starting(ResolvedRun run, string description) { }

        public void Committed(TrainingProgress progress) => _commits.Add(_clock.Elapsed);

        public void Evaluated(EvaluationResult result) => (_evaluated, _images) = (_clock.Elapsed, result.Samples);

        public void Said(string sentence) { }

        public StudyProbe Of(string model)
        {
            var step = (_commits[^1] - _commits[0]).TotalSeconds / Math.Max(1, _commits.Count - 1);
            var evaluation = Math.Max(0, (_evaluated - _commits[^1]).TotalSeconds);
            var setup = Math.Max(0, _clock.Elapsed.TotalSeconds - _commits.Count * step - evaluation);
            return new StudyProbe(model, Math.Round(setup, 3), Math.Round(step, 4), Math.Round(evaluation / _images, 7));
        }
    }
}
