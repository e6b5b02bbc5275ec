using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Launch;

/// <summary>What a run on one machine and one over several hosts share: children are supervised, faults struck, signals handed on, and the end is told.</summary>
internal static class SupervisedRun
{
    /// <param name="tls">The supervisor's certificate; stays the caller's.</param>
    /// <param name="struck">The steps with faults from outside.</param>
    public static SupervisorLink LinkTo(LinkAddress coordinator, string secret, LinkTls? tls, IReadOnlySet<StepId> struck, InsideFaults inside, LogPrinter printer) =>
        new(coordinator, secret, tls, struck)
        {
            Begun = inside.Begun,
            Said = sentence => printer.Said(null, $"the coordinator does not let the supervisor in: {sentence}"),
        };

    /// <summary>From the first process to the last.</summary>
    /// <param name="actuators">Who carries the faults out, given the supervisor and what tells a person and events.jsonl about a node.</param>
    public static async Task<SupervisorResult> RunAsync(
        IReadOnlyList<ChildSpec> children, LogPrinter printer, SupervisorLink link, LinkTls? tls, IReadOnlyList<FaultSpec> faults,
        Func<Supervisor, Action<string, string>, Dictionary<FaultKind, IFaultActuator>> actuators, CancellationToken stop)
    {
        var supervisor = new Supervisor(children, RestartPolicy.Default, new EventingObserver(printer, link));
        void Say(string about, string sentence)
        {
            printer.Said(about, sentence);
            link.Happened("fault", about, sentence);
        }
        using var injector = new FaultInjector(faults, actuators(supervisor, Say), TimeProvider.System, Say);
        link.Start(supervisor, injector);
        using var asked = CheckpointSignal.Listen(link.AskForCheckpoint);
        using var stopping = stop.Register(supervisor.RequestStop);
        using var reloading = CertificateReload.OnHangUp(tls, LogPrinter.OwnName, supervisor.Reload);
        var result = await supervisor.RunAsync();
        injector.Ended();
        return result;
    }

    /// <summary>The exit code of a run that is done.</summary>
    /// <param name="folder">Of the run; null where it is another machine's.</param>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    /// <exception cref="ClusterException">It failed.</exception>
    public static int Conclude(SupervisorResult result, RunFolder? folder, CancellationToken stop)
    {
        if (result.ExitCode == Verbs.ExitCodes.Done) return result.ExitCode;
        if (result.ExitCode == Verbs.ExitCodes.Interrupted) throw new OperationCanceledException(result.Reason, new ClusterException(result.Reason), stop);
        folder?.DiscardIfNothingCommitted();
        throw result.ExitCode == Verbs.ExitCodes.BadInput ? new UserMistakeException(result.Reason) : new ClusterException(result.Reason);
    }

    /// <summary>What happens to processes is printed, and goes to events.jsonl through the coordinator.</summary>
    private sealed class EventingObserver(LogPrinter printer, SupervisorLink link) : ISupervisorObserver
    {
        public void Line(string child, bool isError, string text) => printer.Line(child, isError, text);

        public void Said(string? child, string sentence)
        {
            printer.Said(child, sentence);
            link.Happened("process", child ?? "launch", sentence);
        }

        public void Started(string child, int process) => link.Happened("process-started", child, $"{child} runs as process {process}.");

        public void Exited(string child, int process, ChildEnd end) => link.Happened("process-ended", child, $"{child} (process {process}) {end}.");
    }
}
