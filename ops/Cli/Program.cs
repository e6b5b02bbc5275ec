using System.Runtime.InteropServices;
using Cluster.Cli.Bench;
using Cluster.Cli.Bench.Protocol;
using Cluster.Cli.Hosting;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

// The first signal asks for an orderly end; a second one is not caught and ends the process at once.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var keep = CheckpointSignal.Begin();

try
{
    // Not the user's: the other process of "bench link" starts this program again.
    if (Environment.GetEnvironmentVariable(LinkPeer.Variable) is { } addresses)
    {
        LinkPeer.Run(addresses);
        return ExitCodes.Done;
    }
    if (Environment.GetEnvironmentVariable(ProtocolWorker.Variable) is { } worker)
    {
        await ProtocolWorker.RunAsync(worker, stop.Token);
        return ExitCodes.Done;
    }
    var commandLine = new CommandLine(LocalTraining.RunAsync);
    return await commandLine.RunAsync(args, stop.Token);
}
catch (Exception e)
{
    return FailureReport.Write(e, Console.Error);
}

void Stop(PosixSignalContext signal)
{
    if (stop.IsCancellationRequested) return;
    signal.Cancel = true;
    stop.Cancel();
}
