using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Cli.Verbs;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>Options of <c>launch</c> for several hosts: a hostfile and a remote shell, or torchrun's words on each host.</summary>
internal sealed class HostOptions
{
    private readonly Option<string> _hostfile = new("--hostfile");
    private readonly Option<string> _ssh = new("--ssh");
    private readonly Option<string> _program = new("--remote-program");
    private readonly Option<string> _listen = new("--listen");
    private readonly Option<string> _secret = new("--secret-file");
    private readonly Option<string> _tls;
    private readonly Option<bool> _insecure;
    private readonly TorchrunOptions _torchrun;

    /// <param name="command">Gets the options.</param>
    /// <param name="tls">The command's <c>--tls</c>.</param>
    /// <param name="insecure">The command's <c>--insecure</c>.</param>
    public HostOptions(Command command, Option<string> tls, Option<bool> insecure)
    {
        (_tls, _insecure) = (tls, insecure);
        foreach (var option in (Option[])[_hostfile, _ssh, _program, _listen, _secret]) command.Options.Add(option);
        _torchrun = new TorchrunOptions(command);
    }

    public const string HelpText = """
          --hostfile FILE       hosts, one a line: HOST [slots=N]; workers by slots, shards one host after another, over ssh
          --ssh COMMAND         another remote shell: called with a host and a command line for it (ssh)
          --remote-program PATH where this program is on the hosts (the same place as here)
          --listen HOST:PORT    how the hosts reach the coordinator (this machine's address towards the first host, port 29500)
          --tls DIR, --insecure over several hosts one of them is needed; DIR is the same place on all of them
          torchrun's words are understood on each host: --nnodes, --nproc-per-node, --node-rank, --rdzv-endpoint, …;
          docs/launch.md says how ('Coming from torchrun'). --secret-file FILE or CLUSTER_JOIN_SECRET: the same on all
        """;

    /// <param name="given">Options of the run that were given: workers may follow from the hosts.</param>
    /// <param name="mistakes">Gets a line for each mistake.</param>
    /// <returns>Null where all is to run on this machine.</returns>
    public HostRequest? Read(ParseResult parse, List<Setting> given, List<string> mistakes)
    {
        var before = mistakes.Count;
        var words = _torchrun.Words(parse);
        var file = RowOptions.TextOf(parse, _hostfile);
        var isTorchrun = words.Any || file is null && TorchrunPlanner.IsAsked(Environment.GetEnvironmentVariable);
        if (file is not null && words.Any) mistakes.Add("--hostfile starts processes on all hosts from here, torchrun's words on one host each: give one or the other");
        if (file is null && !isTorchrun)
        {
            foreach (var option in (Option[])[_ssh, _program, _listen, _secret])
                if (parse.GetResult(option) is { Implicit: false }) mistakes.Add($"{option.Name} is for several hosts: give --hostfile or --nnodes as well");
            return null;
        }
        var plan = isTorchrun ? TorchrunPlanner.Plan(words, Environment.GetEnvironmentVariable, ThisMachine.IsHere, Environment.ProcessorCount, mistakes) : null;
        var hosts = file is null ? null : Try(() => Hostfile.Read(file), mistakes);
        var listen = RowOptions.TextOf(parse, _listen) is { } text ? Try(() => ListenAt(text), mistakes) : null;
        if (listen is not null && file is null) mistakes.Add("--listen is for --hostfile; with torchrun's words the coordinator listens at --rdzv-endpoint");
        var shell = Try(() => RemoteShell.Of(RowOptions.TextOf(parse, _ssh), RowOptions.TextOf(parse, _program)), mistakes);
        // One machine, by what happens to stand in the environment, is what launch does anyway.
        if (plan is { IsOneMachine: true } && !words.Any) return null;
        var workers = plan?.Workers ?? hosts?.Sum(static h => h.Slots);
        AddWorkers(given, workers, isTorchrun, mistakes);
        if (mistakes.Count > before) return null;
        if (plan is { IsOneMachine: true })
        {
            foreach (var note in plan.Notes) Console.Error.WriteLine($"cluster: {note}");
            return new HostRequest(plan, null, null, null, new LaunchSecurity(null, false, ""));
        }
        var (tls, insecure) = (RowOptions.TextOf(parse, _tls), parse.GetValue(_insecure));
        if (tls is null && !insecure)
            mistakes.Add("over several hosts other machines reach the processes: encrypt the traffic with --tls DIR ('cluster help certs'), or allow it as it is with --insecure, on a network that is yours");
        var secret = NodeVerb.Secret(RowOptions.TextOf(parse, _secret), mistakes);
        if (plan is not null && tls is null && secret.Length == 0) mistakes.Add("the nodes must know the same join secret: --secret-file FILE or CLUSTER_JOIN_SECRET on each of them");
        return new HostRequest(plan, hosts, shell, listen, new LaunchSecurity(tls is null ? null : Path.GetFullPath(tls), insecure, Encoding.UTF8.GetString(secret)));
    }

    private static LinkAddress ListenAt(string text) => LinkAddress.Parse(text) is { Kind: LinkTransportKind.Tcp, Port: > 0 } address
        ? address
        : throw new UserMistakeException($"--listen {text}: the hosts must know it: give HOST:PORT with a port from 1 to 65535");

    private static void AddWorkers(List<Setting> given, int? workers, bool isTorchrun, List<string> mistakes)
    {
        if (workers is null) return;
        if (given.Any(static s => s.Row.Key == "workers"))
        {
            if (isTorchrun) mistakes.Add("--workers: torchrun's words say how many: --nnodes times --nproc-per-node");
            return;
        }
        given.Add(new Setting(OptionTable.ByKey("workers")!, $"{workers}", isTorchrun ? "--nnodes times --nproc-per-node" : "the slots of --hostfile", RunResolver.FromCommandLine));
    }

    private static T? Try<T>(Func<T> read, List<string> mistakes) where T : class
    {
        try
        {
            return read();
        }
        catch (UserMistakeException e)
        {
            mistakes.AddRange(e.Message.Split('\n'));
            return null;
        }
    }
}

/// <summary>What a person wants of several hosts.</summary>
/// <param name="Torchrun">Null with a hostfile.</param>
/// <param name="Hosts">Of the hostfile; null without one.</param>
/// <param name="Listen">How the hosts reach the coordinator; null = found out.</param>
/// <param name="Security">For all nodes. An empty secret with a hostfile = one is drawn; with torchrun's words certificates alone decide.</param>
internal sealed record HostRequest(TorchrunPlan? Torchrun, IReadOnlyList<HostLine>? Hosts, RemoteShell? Shell, LinkAddress? Listen, LaunchSecurity Security)
{
    /// <summary>All processes are this machine's after all.</summary>
    public bool IsOneMachine => Torchrun is { IsOneMachine: true };

    /// <summary>This machine only adds workers to a run that another one coordinates.</summary>
    public bool OnlyJoins => Torchrun is { IsFirst: false };

    /// <summary>Asks the network which address leads to the first host, if nobody says.</summary>
    /// <exception cref="UserMistakeException">More workers than slots, or no way leads to the first host.</exception>
    public HostPlan Plan(int ps, int workers)
    {
        if (Torchrun is { } plan) return HostPlan.Of(plan, Environment.MachineName, ThisMachine.IsLoopback, ps);
        var here = Listen?.Name ?? (Hosts!.FirstOrDefault(static h => !ThisMachine.IsHere(h.Address)) is { } away ? ThisMachine.AddressTowards(away.Address) : Hosts![0].Address);
        return HostPlan.Over(Hosts!, here, Listen?.Port ?? Limits.HostsPort, ThisMachine.IsHere, ps, workers);
    }
}
