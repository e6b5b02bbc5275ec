using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Tests.Audit;

/// <summary>Writes the folder that an honest run leaves, without training: 300 samples, batches of 64 in 4 leaves, 10 steps.</summary>
internal static class RunMaker
{
    public const int Samples = 300;
    public const int Steps = 10;

    /// <summary>The lines of its commits.jsonl.</summary>
    public static List<byte[]> Lines(RunOptions options, int steps = Steps)
    {
        var schedule = LearningRateSchedule.For(options, Samples);
        return [.. Records(options, schedule, steps).Select(record => CommitLog.Write(record, 20))];
    }

    private static IEnumerable<CommitRecord> Records(RunOptions options, LearningRateSchedule schedule, int steps)
    {
        for (var step = 1; step <= steps; step++)
        {
            var plan = StepPlan.For(new StepId(step), Samples, options.Batch, options.Microbatches);
            var order = new SampleOrder(options.Seed, plan.Epoch, Samples);
            yield return new CommitRecord(
                Term.First, plan.Step, 1, plan.Epoch, plan.SampleCount, 2.0 / step, 0.5, 1.5, Clipping.Scale(1.5, options.Optimizer.ClipNorm), schedule.At(plan.Step), true,
                [.. Enumerable.Range(0, plan.LeafCount).Select(leaf => new LeafRecord(new WorkerId(leaf % 2), plan.Leaf(leaf).Count, plan.DigestOf(leaf, order)))]);
        }
    }

    /// <param name="change">Given the lines; returns the bytes of commits.jsonl. Null: as they are.</param>
    /// <param name="summary">Write a summary.json of this many steps; 0 = none.</param>
    /// <param name="facts">Null: those of a run whose data was opened.</param>
    public static string Make(World world, string name, Func<List<byte[]>, IEnumerable<byte>>? change = null, int summary = Steps, Dictionary<string, string>? facts = null)
    {
        var run = world.Resolve(null, "--out", name, "--batch", "64", "--microbatches", "4", "--seed", "11", "--epochs", "2", "--clip-norm", "1");
        using var folder = RunFolder.Create(run);
        folder.WriteConfig(facts ?? new Dictionary<string, string> { ["run-id"] = "abc", ["training-samples"] = "300", ["total-steps"] = "10" });
        var lines = Lines(run.Options);
        File.WriteAllBytes(Path.Combine(folder.Location, RunFolder.CommitsName), [.. change?.Invoke(lines) ?? lines.SelectMany(line => line)]);
        if (summary > 0) folder.WriteSummary(new TrainingSummary(summary, 2, "ab12", 512.4, 0.2, new EvaluationResult(summary, 0.5, 0.8125, 0.99, 100), TimeSpan.FromSeconds(3)));
        return folder.Location;
    }
}
