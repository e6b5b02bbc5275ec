using System.Text.Json.Nodes;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Cli.Hosting;

/// <summary>Puts the shards' snapshots on disk as a checkpoint and lets go of old ones. Called on the checkpoint thread.</summary>
/// <param name="counterBase">What counters stood at before the first step of this run (imported weights); 0 where absent.</param>
internal sealed class CheckpointKeeper(
    CheckpointStore store, ParameterLayout layout, RunStore log, ResolvedRun run, RunPlan plan, string? fingerprint, IReadOnlyDictionary<string, long> counterBase) : ICheckpointWriter
{
    /// <summary>Kept besides the newest ones: the one with the best test accuracy.</summary>
    private const int KeepBest = 1;

    public (string Folder, long Bytes) Write(CheckpointDue due, IReadOnlyList<ShardSnapshot> parts)
    {
        // A checkpoint must never be newer than the log that it is resumed with.
        log.Flush();
        var applied = parts[0].AppliedSteps;
        var content = new CheckpointContent(layout, due.Version, applied, StatePieces.OfWeights(parts), StatePieces.OfSlots(parts), Facts(due))
        {
            Counters = layout.Counters.ToDictionary(c => c.Name, c => counterBase.GetValueOrDefault(c.Name) + applied, StringComparer.Ordinal),
        };
        var path = store.Write(content);
        store.Retain(run.Options.KeepCheckpoints, KeepBest, due.Best);
        return (path, Directory.EnumerateFiles(path).Sum(static f => new FileInfo(f).Length));
    }

    private JsonObject Facts(CheckpointDue due)
    {
        var next = plan.PlanOf(new StepId(due.Version.Value + 1));
        var configuration = new JsonObject();
        foreach (var row in OptionTable.Rows) configuration[row.Key] = row.Read(run.Options);
        var facts = new JsonObject
        {
            ["run_id"] = plan.RunId,
            ["seed"] = run.Options.Seed,
            ["epoch"] = next.Epoch,
            ["position"] = next.FirstPosition,
            ["training_samples"] = plan.Samples,
            ["numeric_fingerprint"] = fingerprint,
            ["configuration"] = configuration,
        };
        if (due.Record is { } record && record.Step.Produces == due.Version) facts["loss"] = Finite(record.Loss);
        if (due.Evaluation is { } evaluation)
        {
            facts["test_accuracy"] = Finite(evaluation.Accuracy);
            facts["test_loss"] = Finite(evaluation.Loss);
            facts["test_top5"] = Finite(evaluation.Top5);
            facts["test_samples"] = evaluation.Samples;
        }
        return facts;
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
