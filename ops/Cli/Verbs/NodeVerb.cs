using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Launch.Hosts;
using Cluster.Cli.Nodes;
using Cluster.Cli.Report;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Web;
using Cluster.Link;
using Cluster.Membership;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster node</c>: one process of a run, on any machine.</summary>
internal sealed class NodeVerb : IVerb
{
    private readonly Option<string> _role = new("--role");
    private readonly Option<string> _join = new("--join");
    private readonly Option<string> _listen = new("--listen");
    private readonly Option<string> _name = new("--name");
    private readonly Option<string> _run = new("--run");
    private readonly Option<string> _data = new("--data");
    private readonly Option<string> _device = new("--device");
    private readonly Option<string> _devices = new("--devices-per-worker");
    private readonly Option<string> _secret = new("--secret-file");
    private readonly Option<string> _patience = new("--patience");
    private readonly Option<string> _tls = new("--tls");
    private readonly Option<bool> _insecure = new("--insecure");
    private readonly Option<string> _monitor = new("--monitor");
    private readonly Option<string> _log = new("--log");
    private readonly Option<string> _hostName = new("--host-name");
    private readonly TorchrunOptions _torchrun;
    private readonly Option<string> _membership = new("--membership");
    private readonly Option<string> _seeds = new("--seeds");
    private readonly Option<string> _seedsRequired = new("--seeds-required");
    private readonly Option<string> _clusterListen = new("--cluster-listen");

    public Command Command { get; }

    public NodeVerb()
    {
        Command = new Command("node", "Take part in a run with this process: coordinator, ps or worker.")
        {
            _role, _join, _listen, _name, _run, _data, _device, _devices, _secret, _patience, _tls, _insecure, _monitor, _log, _hostName, _membership, _seeds, _seedsRequired, _clusterListen,
        };
        _torchrun = new TorchrunOptions(Command);
    }

    public string HelpText => """
        cluster node --role worker --join ADDRESS [--name worker-N] [--data NAME[:DIR]] [--device DEVICE,…] [--devices-per-worker N]
        cluster node --role ps     --join ADDRESS --listen ADDRESS [--name ps-N]
        cluster node --role coordinator --run DIR --listen ADDRESS
        cluster node --role … --membership akka --seeds A,B,… --cluster-listen ADDRESS        in the place of --join

        One process of a run; 'cluster launch' starts all of them on this machine. By hand, on any machine:
          1. cluster launch [train's options] --prepare --out DIR       checks the configuration, and writes it into DIR
          2. cluster node --role coordinator --run DIR --listen HOST:PORT
          3. one 'node --role ps' per parameter shard, any number of 'node --role worker'
        Workers and shards need the address alone: the configuration comes from the coordinator. A worker downloads no
        samples ('cluster data get' does). A node whose version, data set, model or arithmetic differs is refused, with the
        reason on both sides.

        An ADDRESS is HOST:PORT, or unix:/PATH between processes of one machine.
          --secret-file FILE    the join secret; the same on all nodes. Or CLUSTER_JOIN_SECRET in the environment.
          --monitor HOST:PORT   where a worker or a ps serves /metrics and /healthz; the coordinator's place is in the configuration
          --log auto|json|text  json: one JSON object per line, with trace ids
          --host-name NAME      what this machine is called (its own name): a shard and its standby lie on different ones
          --rdzv-endpoint HOST:PORT, or --master-addr and --master-port, or MASTER_ADDR and MASTER_PORT set: as --join
          --membership akka     find the coordinator through Akka.Cluster instead of --join (a build with -p:Feed=full): nodes
                                gossip, and of several coordinators with the same --run one carries the run at a time
          --seeds A,B,…         with it: where some nodes gossip, HOST:PORT; the same list, in the same order, on all.
                                dns:NAME:PORT stands for all addresses of a name; k8s:SELECTOR[@NAMESPACE]:PORT, alone,
                                for the pods with these labels, asked from the Kubernetes API
          --seeds-required N    with k8s: so many pods must be there before the first begins a cluster (2); joining needs one
          --cluster-listen HOST:PORT  with it: where this node gossips, as the others write it
          --patience SECONDS    how long to look for a coordinator that does not answer (60)
          --tls DIR             encrypt, and let only certificates of one authority in: DIR holds ca.pem, ROLE.pem and ROLE.key
                                ('cluster help certs' makes them); SIGHUP reads them anew
          --insecure            listen on an address that other machines reach without encryption: everybody on the
                                network can then read and change the traffic. Also for --monitor, which is never encrypted
        """;

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var isSupervised = Launch.ParentWatch.Begin();
        var found = mistakes.ToList();
        var role = RowOptions.TextOf(parse, _role);
        var log = RowOptions.TextOf(parse, _log);
        found.AddRange(LogForm.Mistakes(log));
        LogForm.Take(log, RowOptions.TextOf(parse, _name) ?? role ?? "node");
        if (role is not (NodeOptions.Coordinator or NodeOptions.Shards or NodeOptions.Worker))
            found.Add(role is null ? "--role is missing: coordinator, ps or worker" : $"--role {role}: a node is coordinator, ps or worker");
        var engine = EngineNode.Read(new EngineTexts(RowOptions.TextOf(parse, _membership), RowOptions.TextOf(parse, _seeds), RowOptions.TextOf(parse, _seedsRequired), RowOptions.TextOf(parse, _clusterListen), RowOptions.TextOf(parse, _join)), found);
        var dials = (RowOptions.TextOf(parse, _membership) is null or MembershipEngines.Static) && role is (NodeOptions.Shards or NodeOptions.Worker);
        var endpoint = _torchrun.JoinOf(parse, dials && RowOptions.TextOf(parse, _join) is null ? role : null, found);
        var join = Address(parse, _join, found, isNeeded: dials && endpoint is null) ?? endpoint;
        var listen = Address(parse, _listen, found, isNeeded: role is NodeOptions.Shards or NodeOptions.Coordinator);
        // A coordinator's address is what the others are told in a cluster that gossips; else they are given their own way to it.
        var unreachable = listen is null ? null : role == NodeOptions.Shards ? NodeAddress.Unreachable(listen) : engine is not null ? NodeAddress.UnreachableAsWritten(listen) : null;
        if (unreachable is not null) found.Add($"--listen {listen}: {unreachable}");
        var folder = RowOptions.TextOf(parse, _run);
        if (role == NodeOptions.Coordinator && folder is null) found.Add("--run DIR is missing: the folder with the run's config.yaml");
        var name = RowOptions.TextOf(parse, _name) ?? "";
        var member = role == NodeOptions.Worker ? MemberRole.Worker : MemberRole.ParameterServer;
        if (name.Length > 0 && role is NodeOptions.Shards or NodeOptions.Worker && MemberNames.IndexIn(name, member) is null)
            found.Add($"--name {name}: a {role} is called {MemberNames.Of(member, 0)} to {MemberNames.Of(member, MemberNames.Most(member) - 1)}");
        var patience = 60.0;
        if (RowOptions.TextOf(parse, _patience) is { } text && (!double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out patience) || !(patience is > 0 and <= 86_400)))
            found.Add($"--patience {text}: must be a number of seconds above 0 and at most 86400");
        int? devices = null;
        if (RowOptions.TextOf(parse, _devices) is { } count)
        {
            if (int.TryParse(count, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= Limits.DevicesPerWorker) devices = number;
            else found.Add($"--devices-per-worker {count}: must be a number from 1 to {Limits.DevicesPerWorker}");
        }
        var monitor = RowOptions.TextOf(parse, _monitor);
        var insecure = parse.GetValue(_insecure);
        if (MonitorExposure.MistakeWithoutFolder(monitor, insecure, Environment.GetEnvironmentVariable(MonitorAccess.TokenVariable)) is { } exposed) found.Add(exposed);
        if (monitor is not null && role == NodeOptions.Coordinator) found.Add("--monitor: the coordinator's place is the run's: 'cluster launch … --prepare --monitor HOST:PORT' writes it");
        var secret = Secret(RowOptions.TextOf(parse, _secret), found);
        if (found.Count > 0) throw new UserMistakeException(string.Join('\n', found));
        using var tls = RowOptions.TextOf(parse, _tls) is { } certificates ? TlsFolder.Load(certificates, role!) : null;
        using var reloading = CertificateReload.OnHangUp(tls, name.Length > 0 ? name : role!);
        // The others are told of the port before anybody listens there: a ps listens when it knows its run.
        using var port = role == NodeOptions.Shards && listen is { Kind: LinkTransportKind.Tcp, Port: 0 } ? PortReservation.Take(listen) : null;
        listen = port?.Address ?? listen;
        using var service = isSupervised ? null : ServiceNotifier.FromEnvironment(TimeProvider.System);
        await using var asked = stop.Register(() => service?.Stopping(WorkerNode.AskedToStop));
        await using var exposure = monitor is not (null or "none") ? await NodeExposure.OpenAsync(monitor)
            : service is not null && role != NodeOptions.Coordinator ? NodeExposure.Unserved()
            : null;
        if (exposure is not null) service?.Watch(exposure.Health);
        var options = new NodeOptions(role!, name, join, listen, secret)
        {
            Patience = TimeSpan.FromSeconds(patience),
            Tls = tls,
            Insecure = insecure,
            HostName = RowOptions.TextOf(parse, _hostName),
            Exposure = exposure,
            Service = service,
            Data = RowOptions.TextOf(parse, _data),
            Device = RowOptions.TextOf(parse, _device),
            Devices = devices,
        };
        switch (role)
        {
            case NodeOptions.Worker:
                await EngineNode.MemberAsync(engine, options, WorkerNode.RunAsync, stop);
                break;
            case NodeOptions.Shards:
                await EngineNode.MemberAsync(engine, options, ShardHost.RunAsync, stop);
                break;
            default:
                using (var turn = new CoordinatorTurn(folder!, log))
                    try
                    {
                        await EngineNode.CoordinatorAsync(engine, folder!, options, turn, stop);
                    }
                    // One that lost to another coordinator is started again, and claims the next term: its supervisor's is the one that counts.
                    catch (RunFailedException e) when (isSupervised && !e.IsSuperseded)
                    {
                        FailureReport.Write(e, Console.Error);
                        return ExitCodes.RunFailed;
                    }
                break;
        }
        if (stop.IsCancellationRequested) return ExitCodes.Interrupted;
        service?.Done();
        return ExitCodes.Done;
    }

    private static LinkAddress? Address(ParseResult parse, Option<string> option, List<string> mistakes, bool isNeeded)
    {
        if (RowOptions.TextOf(parse, option) is not { } text)
        {
            if (isNeeded) mistakes.Add($"{option.Name} is missing: HOST:PORT or unix:/PATH");
            return null;
        }
        try
        {
            return LinkAddress.Parse(text);
        }
        catch (UserMistakeException e)
        {
            mistakes.Add($"{option.Name} {e.Message}");
            return null;
        }
    }

    /// <summary>Never on the command line: a process list is public.</summary>
    internal static byte[] Secret(string? file, List<string> mistakes)
    {
        if (file is null) return Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable(NodeOptions.SecretVariable) ?? "");
        try
        {
            return Encoding.UTF8.GetBytes(File.ReadAllText(file).Trim());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            mistakes.Add($"--secret-file {file}: {e.Message.ReplaceLineEndings(" ")}");
            return [];
        }
    }
}
