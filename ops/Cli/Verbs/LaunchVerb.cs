using System.CommandLine;
using System.CommandLine.Parsing;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Launch;
using Cluster.Cli.Launch.Hosts;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster launch</c>: a run in several processes of this machine, supervised.</summary>
internal sealed class LaunchVerb : IVerb
{
    private readonly Option<string> _recipe = new("--recipe");
    private readonly Option<bool> _resume = new("--resume");
    private readonly Option<bool> _check = new("--check");
    private readonly Option<bool> _prepare = new("--prepare");
    private readonly Option<string> _log = new("--log");
    private readonly Option<string> _tls = new("--tls");
    private readonly Option<bool> _insecure = new("--insecure");
    private readonly Option<string[]> _fault = new("--fault") { AllowMultipleArgumentsPerToken = false };
    private readonly RowOptions _rows;
    private readonly HostOptions _hosts;

    public LaunchVerb()
    {
        Command = new Command("launch", "Train in several processes on this machine, restarted when they die.") { _recipe, _resume, _check, _prepare, _fault, _log, _tls, _insecure };
        _rows = new RowOptions(Command, OptionTable.Rows);
        _hosts = new HostOptions(Command, _tls, _insecure);
    }

    public Command Command { get; }

    public string HelpText => $"""
        cluster launch [--workers N] [--ps P] [--replicas R] [--fault KIND:NODE@STEP[+SECONDS] …] [train's options]

        Trains as 'cluster train' does and to the same bits, with one process for the coordinator, one per parameter shard
        and one per worker. A supervisor starts them, prints what they say behind their names, and starts again what dies.
        'cluster help train' lists the other options; --resume goes on with a run, whoever began it.

          --replicas R          standbys of each shard on another process: 0 or 1 (1 with --ps 2 and more)
          --fault kill:worker-1@10        kills the node in the middle of step 10, after its BeginStep and before its record
          --fault stop:worker-2@20+5      stops it (SIGSTOP) in step 20 for 5 s, which is also the default
          other kinds, settings behind a comma: oom leave join zombie (not with --tls) nan lie hang slow backlog disk-full no-data
          skew, and those of the network: cut black-hole black-hole-in black-hole-out delay throttle corrupt duplicate reorder;
          over several hosts kill, leave and those inside a process alone. docs/launch.md says what each does
          --tls DIR             the processes talk over TCP with TLS, each with the certificate of its role in DIR ('cluster help
                                certs' makes them), instead of over Unix sockets; SIGHUP reads the certificates anew
          --insecure            show the page (--monitor) to other machines, unencrypted and behind a token
        {HostOptions.HelpText}
          --log auto|json|text  json: one JSON object per line, with the node that it comes from and the trace ids of steps
          --prepare             only write the run's folder, for nodes that are started by hand ('cluster help node')
          --check               only check the options and print the resolved configuration
        """;

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        // Chaos starts it, and it must not outlive it; for a person's own launch this does nothing.
        ParentWatch.Begin();
        var recipe = RowOptions.TextOf(parse, _recipe);
        var log = RowOptions.TextOf(parse, _log);
        mistakes = [.. mistakes, .. LogForm.Mistakes(log)];
        LogForm.Take(log, LogPrinter.OwnName);
        var environment = new ResolveEnvironment();
        var given = _rows.Given(parse);
        var found = mistakes.ToList();
        var hosts = _hosts.Read(parse, given, found);
        mistakes = found;
        if (hosts is { OnlyJoins: true })
        {
            HelpVerb.Refuse(mistakes);
            return await HostedRun.JoinAsync(hosts, given, log, stop);
        }
        var run = parse.GetValue(_resume)
            ? ResumeResolver.Resolve(recipe, given, mistakes, environment)
            : RunResolver.Resolve(recipe, given, mistakes, environment);
        if (run.Options is { Replicas: > 0, Ps: 1 }) throw new UserMistakeException("--replicas 1 needs --ps 2 or more: the standby of a shard lies in another process than the shard");
        var faults = Faults(parse.GetValue(_fault) ?? [], run.Options);
        var isPrepared = parse.GetValue(_prepare);
        if (!isPrepared && MonitorExposure.Mistake(run.Options.Monitor, parse.GetValue(_insecure)) is { } exposed) throw new UserMistakeException(exposed);
        var security = hosts is { IsOneMachine: false } ? hosts.Security : LaunchSecurity.Of(RowOptions.TextOf(parse, _tls), parse.GetValue(_insecure));
        if (hosts is { IsOneMachine: false }) HostedRun.Refuse(faults);
        else LaunchedRun.Refuse(faults, security);
        if (parse.GetValue(_check))
        {
            Console.Out.Write(ConfigWriter.Write(run, new Dictionary<string, string>()));
            return ExitCodes.Done;
        }
        await DataVerb.EnsureAsync(run.Options, stop);
        using var folder = run.Resumes is null ? RunFolder.Create(run) : RunFolder.Resume(run);
        folder.WriteConfig(new Dictionary<string, string> { ["run-id"] = run.RunId });
        if (isPrepared)
        {
            Console.Out.WriteLine($"prepared {folder.Location}: start 'cluster node --role coordinator --run {folder.Location} --listen ADDRESS'");
            return ExitCodes.Done;
        }
        return hosts is null or { IsOneMachine: true } ? await LaunchedRun.RunAsync(run, folder, faults, security, log, stop) : await HostedRun.RunAsync(run, folder, hosts, faults, log, stop);
    }

    private static List<FaultSpec> Faults(string[] texts, RunOptions options)
    {
        var nodes = new List<string> { "coordinator" };
        nodes.AddRange(Enumerable.Range(0, options.Ps).Select(static i => $"ps-{i}"));
        nodes.AddRange(Enumerable.Range(0, options.Workers).Select(static i => $"worker-{i}"));
        return [.. texts.Select(text => FaultSpec.Parse(text, nodes, options.Steps ?? long.MaxValue))];
    }
}
