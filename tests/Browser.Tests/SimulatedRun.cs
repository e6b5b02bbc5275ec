using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor;
using Cluster.Coordinator.Monitor.Live;
using Cluster.Coordinator.Monitor.Traces;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Browser.Tests;

/// <summary>A run that the spec plays: the same watcher, server and page as a real one's, without computing anything.</summary>
internal sealed class SimulatedRun : IAsyncDisposable
{
    public const string RunId = "simulated";
    public const int Leaves = 8, Batch = 256;

    private static readonly DateTimeOffset Start = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly WatchThread _thread;
    private readonly MonitorServer _server;
    private readonly List<int> _workers = [0, 1, 2];

    private SimulatedRun(WatchThread thread, MonitorServer server) => (_thread, _server) = (thread, server);

    public string Address => _server.Address;
    public string Link => _server.Link;
    public IPEndPoint EndPoint => _server.EndPoint;
    public long Step { get; private set; }

    public static async Task<SimulatedRun> StartAsync(long totalSteps, long logged = 0, IPEndPoint? at = null)
    {
        var lines = new CommitLine[logged];
        for (var i = 0; i < logged; i++) lines[i] = new CommitLine(Record(i + 1, [0, 1, 2]), 20 + Noise(i) * 2);
        var traces = new RecentTraces();
        var facts = new LiveFacts(RunId, "resnet20-cifar10", "resnet20, 272,474 parameters; CIFAR-10, 50,000 images; 3 workers, 2 parameter shards", totalSteps, 50_000, Batch, 3, 2);
        var live = new LiveRun(facts, lines, [], traces, keepsTraces: true, TimeProvider.System);
        var server = await MonitorServer.StartAsync(at ?? new IPEndPoint(IPAddress.Loopback, 0), [.. LiveRoutes.Of(live, traces)]);
        return new SimulatedRun(new WatchThread([live], static _ => { }), server) { Step = logged };
    }

    /// <summary>An address that no other process is given by chance: Linux gives ports from 32768 on.</summary>
    public static IPEndPoint FreeAddress()
    {
        while (true)
        {
            var address = new IPEndPoint(IPAddress.Loopback, Random.Shared.Next(20_000, 30_000));
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(address);
                return address;
            }
            catch (SocketException)
            {
                // Somebody's; the next one.
            }
        }
    }

    /// <summary>Commits so many steps, one after the other.</summary>
    public void Advance(int steps, bool isTraced = false)
    {
        for (var i = 0; i < steps; i++)
        {
            Step++;
            var at = Start.AddMilliseconds(Step * 20);
            var id = new StepId(Step);
            var record = Record(Step, _workers);
            _thread.Post(w => w.Begun(id, at));
            var took = TimeSpan.FromMilliseconds(20 + Noise(Step) * 2);
            _thread.Post(w => w.Committed(new CommittedStep(record, took, IsReplayed: false, Batch / took.TotalSeconds, DateTimeOffset.UtcNow)));
            if (isTraced) foreach (var (process, batch) in SimulatedTrace.Of(RunId, id, at, _workers)) _thread.Post(w => w.Traced(process, batch));
            if (Step % 100 == 0) Evaluate();
        }
    }

    public void Evaluate()
    {
        var totals = new EvaluationTotals(new WeightsVersion(Step), 10_000, LossAt(Step) * 1.08, AccuracyAt(Step) - 0.01, 0.99);
        _thread.Post(w => w.Evaluated(totals, []));
    }

    public void Report(string node, double memory) => _thread.Post(w => w.Reported(node, new NodeReport([new NodeFigure("train.memory.usage", "resident", memory)])));

    public void Happen(string kind, string? node, string sentence)
    {
        if (kind is "worker-lost") _workers.Remove(int.Parse(node!["worker-".Length..]));
        if (kind is "worker-joined" && !_workers.Contains(int.Parse(node!["worker-".Length..]))) _workers.Add(int.Parse(node!["worker-".Length..]));
        var happened = new RunEvent(DateTimeOffset.UtcNow, kind, node, "step", sentence);
        _thread.Post(w => w.Happened(happened));
    }

    public void End(bool isFinished, string reason, string? hash)
    {
        var ending = new RunEnding(new StepId(Step), isFinished, reason, hash);
        _thread.Post(w => w.Ended(ending));
    }

    private static CommitRecord Record(long step, IReadOnlyList<int> workers) => new(
        Term.First, new StepId(step), 1, (step - 1) * Batch / 50_000, Batch, LossAt(step) + Noise(step) * 0.05, Math.Clamp(AccuracyAt(step) + Noise(step * 7) * 0.03, 0, 1),
        3.5 * Math.Exp(-step / 2000.0) + 0.8 + Noise(step * 3) * 0.3, 1, RateAt(step), Applied: true,
        [.. Enumerable.Range(0, Leaves).Select(leaf => new LeafRecord(new WorkerId(workers[leaf * workers.Count / Leaves]), Batch / Leaves, 0))]);

    private static double LossAt(long step) => 0.25 + 2.05 * Math.Exp(-step / 600.0);
    private static double AccuracyAt(long step) => 0.93 - 0.83 * Math.Exp(-step / 500.0);
    private static double RateAt(long step) => step < 200 ? 0.1 * step / 200 : 0.05 + 0.05 * Math.Cos(Math.Min(1, step / 5000.0) * Math.PI);

    /// <summary>-1 to 1, the same in every run.</summary>
    private static double Noise(long step) => Math.Sin(step * 12.9898) * 43_758.5453 % 1;

    /// <summary>The end of a process: watchers hear the last words, then nobody answers any more.</summary>
    public async ValueTask DisposeAsync()
    {
        _thread.Dispose();
        await _server.DisposeAsync();
    }
}
