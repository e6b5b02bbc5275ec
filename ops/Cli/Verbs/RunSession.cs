using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Cluster.Cli.Report;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary>One run in its claimed folder, from its first line in events.jsonl to its last, however it ends.</summary>
internal static class RunSession
{
    /// <param name="folder">Of the run; stays the caller's to dispose.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered; the message says how far the run came.</exception>
    /// <exception cref="ClusterException">The run failed. A folder in which nothing was committed is gone.</exception>
    public static async Task<TrainingSummary> RunAsync(TrainingJob job, ResolvedRun run, RunFolder folder, ITrainingObserver observer, CancellationToken stop)
    {
        try
        {
            var summary = await job(run, folder, new ObserverChain(observer, new EventObserver(folder.Events)), stop);
            if (!summary.WasFinished) folder.WriteSummary(summary);
            folder.Events.Append("finished", $"{summary.Steps} steps, state sha256 {summary.StateSha256}", "coordinator");
            RunReport.TryMake(folder.Location, RunState.Finished, observer.Said);
            return summary;
        }
        catch (Exception e) when (stop.IsCancellationRequested && e is OperationCanceledException or ClusterException and not UserMistakeException)
        {
            // A job that could finish its step says how far it came; one that could not was merely cancelled.
            var sentence = e is ClusterException ? e.Message : "interrupted";
            folder.Events.Append("interrupted", sentence, "coordinator");
            RunReport.TryMake(folder.Location, RunState.Interrupted, observer.Said);
            folder.DiscardIfNothingCommitted();
            throw new OperationCanceledException(sentence, e, stop);
        }
        catch (ClusterException e)
        {
            folder.Events.Append("failed", e.Message, "coordinator");
            RunReport.TryMake(folder.Location, RunState.Failed, observer.Said);
            folder.DiscardIfNothingCommitted();
            throw;
        }
        catch (Exception e)
        {
            folder.Events.Append("failed", e.Message, "coordinator");
            RunReport.TryMake(folder.Location, RunState.Failed, observer.Said);
            e.Data[FailureReport.FolderKey] = folder.Location;
            throw;
        }
    }
}
