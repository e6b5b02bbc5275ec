using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Launch;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>
/// A run of <c>node</c> processes on hosts of a <see cref="HostNetwork"/>, started by hand as it were, and what happens to it. One
/// caller at a time; disposing kills what still runs.
/// </summary>
internal sealed class HostRun : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120), Poll = TimeSpan.FromMilliseconds(10);

    private readonly HostNetwork _network;
    private readonly HostRunOptions _options;
    private readonly string _program, _run, _calm;
    private readonly HostAgent[] _agents;
    private readonly CommitTail _tail;
    private readonly HostLog _log;
    private readonly SeatWatch _seat;
    private readonly TaskCompletionSource<(string Node, ChildEnd End, string LastLine)> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostRun(HostNetwork network, HostRunOptions options, string folder)
    {
        (_network, _options) = (network, options);
        _program = options.Program ?? Path.Combine(AppContext.BaseDirectory, "cluster");
        (_run, _calm) = (Path.Combine(folder, "run"), Path.Combine(folder, "undisturbed"));
        _log = new HostLog(Path.Combine(folder, "nodes.log"));
        var secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var nodes = options.Gossips ? HostLayout.Gossiping(options, network.AddressOf, _run) : HostLayout.Static(options, network.AddressOf, _run);
        _seat = new SeatWatch(_log, nodes);
        _agents = [.. Enumerable.Range(0, network.Count).Select(host => new HostAgent(NodesOf(host, nodes, secret), _seat, Ended))];
        _tail = new CommitTail(Path.Combine(_run, RunFolder.CommitsName));
    }

    /// <summary>Commits so far, and when each was seen.</summary>
    public IReadOnlyList<SeenCommit> Seen => _tail.Seen;

    /// <summary>The run's folder.</summary>
    public string Folder => _run;

    /// <summary>The host of the process that said last that it has the coordinator's seat; null before.</summary>
    public int? Seat => _seat.Host;

    /// <summary>Whether the run has ended: a coordinator has, or a node was refused before the first step.</summary>
    public bool IsOver => _over.Task.IsCompleted;

    /// <summary>Prepares the run and gives all hosts power.</summary>
    /// <param name="folder">Exists and is empty: gets the run, the undisturbed one, and what the nodes say.</param>
    /// <exception cref="BenchmarkException">The program refuses the run.</exception>
    public static async Task<HostRun> BeginAsync(HostNetwork network, HostRunOptions options, string folder, CancellationToken stop)
    {
        var run = new HostRun(network, options, folder);
        try
        {
            await run.DoAsync(["launch", .. options.RunArguments, "--prepare", "--out", run._run], stop);
            foreach (var agent in run._agents) await agent.UpAsync();
            return run;
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    /// <summary>Waits until a step is recorded.</summary>
    /// <exception cref="BenchmarkException">The run ends before, or nothing is recorded for two minutes.</exception>
    public async Task ReachesAsync(long step, CancellationToken stop)
    {
        _tail.Excuse();
        var reached = _tail.Reaches(new StepId(step));
        while (!reached.IsCompleted)
        {
            if (_over.Task.IsCompleted) throw new BenchmarkException($"the run ended before step {step}: {Words(_over.Task.Result)}");
            if (DateTimeOffset.UtcNow - _tail.Last > Patience) throw new BenchmarkException($"no step was recorded for {Patience.TotalSeconds:0} s; what the nodes said is in {_log.Path}");
            await Task.WhenAny(reached, _over.Task, Task.Delay(Patience / 10, stop));
            stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Strikes a fault, ends it after its time, and waits for the next record.</summary>
    /// <returns>Null if the run was over before it could show that it goes on.</returns>
    public async Task<StruckHostFault?> StrikeAsync(HostFault fault, CancellationToken stop)
    {
        var strike = DateTimeOffset.UtcNow;
        switch (fault.Kind)
        {
            case HostFaultKind.Kill:
                // No farewell of the kernel may leave the host: who loses power closes no connection.
                _network.Split(fault.Hosts);
                foreach (var host in fault.Hosts) await _agents[host].DownAsync();
                break;
            case HostFaultKind.Split:
                _network.Split(fault.Hosts);
                break;
            case HostFaultKind.OneWay:
                _network.Lose(fault.Hosts.SelectMany(from => Enumerable.Range(0, _network.Count).Select(to => (from, to))));
                break;
            default:
                foreach (var host in fault.Hosts) _network.Narrow(host, megabits: 20);
                break;
        }
        await Task.Delay(TimeSpan.FromSeconds(fault.Seconds), stop);
        if (fault.Kind == HostFaultKind.Slow) foreach (var host in fault.Hosts) _network.Widen(host);
        _network.Heal();
        if (fault.Kind == HostFaultKind.Kill) foreach (var host in fault.Hosts) await _agents[host].UpAsync();
        var over = DateTimeOffset.UtcNow;
        _tail.Excuse();
        while (true)
        {
            if (_tail.Seen.FirstOrDefault(s => s.Time > over) is { } next)
            {
                var times = _tail.Seen.Where(s => s.Time > strike && s.Time <= next.Time).Select(static s => s.Time).Prepend(strike).ToArray();
                return new StruckHostFault(fault, strike, over, next.Time, times.Zip(times.Skip(1), static (a, b) => (b - a).TotalSeconds).Max());
            }
            if (_over.Task.IsCompleted) return null;
            if (DateTimeOffset.UtcNow - over > Patience) throw new BenchmarkException($"{fault}: no step was recorded for {Patience.TotalSeconds:0} s afterwards; what the nodes said is in {_log.Path}");
            await Task.Delay(Poll, stop);
        }
    }

    /// <summary>Waits until the cluster has let a second coordinator in, or the run is over.</summary>
    /// <exception cref="BenchmarkException">None is let in for two minutes.</exception>
    public async Task StandbyAsync(CancellationToken stop)
    {
        var since = DateTimeOffset.UtcNow;
        while (!_seat.HasStandby && !_over.Task.IsCompleted)
        {
            if (DateTimeOffset.UtcNow - since > Patience) throw new BenchmarkException($"no second coordinator was let into the cluster for {Patience.TotalSeconds:0} s; what the nodes said is in {_log.Path}");
            await Task.Delay(Poll, stop);
        }
    }

    /// <summary>A host loses power and stays dark until somebody has recorded the next step; then it comes back.</summary>
    /// <returns>Seconds from the loss to that record; null if the run was over before.</returns>
    public async Task<double?> SurviveAsync(int host, CancellationToken stop)
    {
        var strike = DateTimeOffset.UtcNow;
        _network.Split([host]);
        await _agents[host].DownAsync();
        // What the dead host has recorded may be seen a little later, and proves nothing.
        var own = File.ReadAllBytes(Path.Combine(_run, RunFolder.CommitsName)).AsSpan().Count((byte)'\n');
        _tail.Excuse();
        try
        {
            while (_tail.Seen.Count <= own)
            {
                if (_over.Task.IsCompleted) return null;
                if (DateTimeOffset.UtcNow - strike > Patience) throw new BenchmarkException($"host {host} is dark and nobody has recorded step {own + 1} for {Patience.TotalSeconds:0} s; what the nodes said is in {_log.Path}");
                await Task.Delay(Poll, stop);
            }
            return (_tail.Seen[own].Time - strike).TotalSeconds;
        }
        finally
        {
            _network.Heal();
            await _agents[host].UpAsync();
        }
    }

    /// <summary>Waits for the end of the run, computes the undisturbed one in one process, and holds the one against the other.</summary>
    /// <exception cref="BenchmarkException">The run failed, or the undisturbed one did.</exception>
    public async Task<HostRunResult> EndAsync(CancellationToken stop)
    {
        await ReachesAsync(_options.Steps, stop);
        var end = await _over.Task.WaitAsync(Patience, stop);
        if (!end.End.IsDone) throw new BenchmarkException($"the run failed: {Words(end)}");
        _tail.Dispose();
        await DoAsync(["train", .. _options.RunArguments, "--out", _calm], stop);
        var audit = await AuditAsync(stop);
        var mine = RecordsOf(_run);
        var calm = RecordsOf(_calm).ToDictionary(static r => r.Step, static r => r.Result);
        var twice = mine.GroupBy(static r => r.Step).Count(static g => g.Count() > 1);
        var missing = Enumerable.Range(1, _options.Steps).Count(step => mine.All(r => r.Step != step));
        var differing = mine.Count(r => calm.GetValueOrDefault(r.Step) != r.Result);
        return new HostRunResult(HashOf(_run), HashOf(_calm) ?? throw new BenchmarkException("the undisturbed run left no hash"), mine.Count, missing, twice, differing, _tail.WentBack, audit);
    }

    public void Dispose()
    {
        foreach (var agent in _agents) agent.Dispose();
        _tail.Dispose();
        _log.Dispose();
    }

    private void Ended(string node, ChildEnd end, string lastLine)
    {
        _log.Said(node, $"{end}");
        var hasEnded = node.StartsWith(NodeOptions.Coordinator, StringComparison.Ordinal) && (end.IsDone || end.IsRunFailure);
        // Started again it would be refused again, for as long as somebody waits.
        var cannotBegin = end.IsMistake && _tail.Seen.Count == 0;
        if (hasEnded || cannotBegin) _over.TrySetResult((node, end, lastLine));
    }

    private List<ChildSpec> NodesOf(int host, IReadOnlyList<HostNode> nodes, string secret)
    {
        var environment = new Dictionary<string, string?> { [NodeOptions.SecretVariable] = secret };
        return [.. nodes.Where(node => node.Host == host).Select(node =>
        {
            var (program, arguments) = _network.On(host, _program, ["node", .. node.Arguments, "--host-name", $"host-{host}", .. _options.Security]);
            return new ChildSpec(node.Name, program, arguments, environment);
        })];
    }

    private async Task DoAsync(string[] arguments, CancellationToken stop)
    {
        await using var process = MeasuredProcess.Start($"cluster {arguments[0]}", _program, arguments, threads: 1);
        await process.FinishAsync(stop);
    }

    private async Task<string?> AuditAsync(CancellationToken stop)
    {
        try
        {
            await DoAsync(["audit", _run], stop);
            return null;
        }
        catch (BenchmarkException e)
        {
            return e.Message;
        }
    }

    private static List<CommitRow> RecordsOf(string run) =>
        [.. File.ReadLines(Path.Combine(run, RunFolder.CommitsName)).Select(static line => CommitRow.Parse(System.Text.Encoding.UTF8.GetBytes(line))).OfType<CommitRow>()];

    private static string? HashOf(string run)
    {
        var path = Path.Combine(run, RunFolder.SummaryName);
        if (!File.Exists(path)) return null;
        using var json = JsonDocument.Parse(File.ReadAllText(path));
        return json.RootElement.GetProperty("state_sha256").GetString();
    }

    private static string Words((string Node, ChildEnd End, string LastLine) end) => $"{end.Node} {end.End}{(end.LastLine.Length > 0 ? ": " + end.LastLine : "")}";
}
