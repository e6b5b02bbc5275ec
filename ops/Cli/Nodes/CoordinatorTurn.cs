using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Report;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>A coordinator's part in a run, by the run's folder: it can be made ready long before the turn comes.</summary>
/// <param name="folder">With the run's config.yaml.</param>
/// <param name="log">A <see cref="LogForm"/>; null = text.</param>
internal sealed class CoordinatorTurn(string folder, string? log) : IDisposable
{
    private RunMaterial? _material;

    /// <summary>
    /// Reads the run and opens what it works with. Writes nothing into its folder: another process may be carrying it. Done ahead, a
    /// takeover need not wait for data and libtorch, and a coordinator that could not take over says so while nobody needs it.
    /// </summary>
    /// <exception cref="UserMistakeException">A folder, data, a model or a device that is not there.</exception>
    public async Task<ResolvedRun> ReadyAsync(NodeOptions options, CancellationToken stop)
    {
        var run = ResumeResolver.Resolve(null, [new Setting(OptionTable.ByKey("out")!, folder, "--run " + folder, RunResolver.FromCommandLine)], [], new ResolveEnvironment());
        if (MonitorExposure.Mistake(run.Options.Monitor, options.Insecure) is { } exposed) throw new UserMistakeException(exposed);
        if (_material?.Serves(run.Options) == true) return run;
        _material?.Dispose();
        _material = null;
        await DataVerb.EnsureAsync(run.Options, stop);
        _material = RunMaterial.Open(run.Options);
        return run;
    }

    /// <summary>Carries the run to its end, and leaves summary and report.</summary>
    /// <exception cref="ClusterException">The run failed, or another coordinator has it.</exception>
    /// <exception cref="OperationCanceledException">It was stopped, with a checkpoint.</exception>
    public async Task TakeAsync(NodeOptions options, CancellationToken stop)
    {
        // Whoever had the turn before may have added to the configuration.
        var run = await ReadyAsync(options, stop);
        using var claimed = RunFolder.Attach(run);
        var display = Displays.ForThisProcess(log == LogForm.Json ? log : LogForm.Text);
        var observer = (ITrainingObserver)display;
        try
        {
            var summary = await CoordinatorNode.RunAsync(run, claimed, options, _material!, new ObserverChain(observer, new EventObserver(claimed.Events)), stop);
            // A coordinator that died after its last checkpoint has left none.
            if (!summary.WasFinished || !File.Exists(Path.Combine(claimed.Location, RunFolder.SummaryName))) claimed.WriteSummary(summary);
            claimed.Events.Append("finished", $"{summary.Steps} steps, state sha256 {summary.StateSha256}", NodeOptions.Coordinator);
            RunReport.TryMake(claimed.Location, RunState.Finished, observer.Said);
            display.Finished(summary, claimed.Location);
        }
        catch (RunStoppedException e)
        {
            claimed.Events.Append("interrupted", e.Message, NodeOptions.Coordinator);
            RunReport.TryMake(claimed.Location, RunState.Interrupted, observer.Said);
            throw new OperationCanceledException(e.Message, e, stop);
        }
        catch (RunFailedException e) when (e.IsSuperseded)
        {
            // It has said so itself; the run goes on.
            throw;
        }
        catch (ClusterException e)
        {
            claimed.Events.Append("failed", e.Message, NodeOptions.Coordinator);
            RunReport.TryMake(claimed.Location, RunState.Failed, observer.Said);
            throw;
        }
    }

    public void Dispose() => _material?.Dispose();
}
