using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Link;

namespace Cluster.Cli.Bench.Protocol;

/// <summary>
/// A real run with an empty model: coordinator and one shard in this process, workers in processes of their own, joined
/// over Unix sockets. Nothing is evaluated and no checkpoint is written.
/// </summary>
internal sealed class ProtocolRun : IAsyncDisposable, ITrainingObserver
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-bench-");
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, Process> _workers = [];
    private readonly LinkAddress _address;
    private readonly RunFolder _run;
    private readonly Task<TrainingSummary> _coordinator;
    private readonly Task _shard;

    private ProtocolRun(int workers, int microbatches, long steps, int floats)
    {
        _address = new LinkAddress(LinkTransportKind.Unix, Path.Combine(_folder.FullName, "c"), 0);
        var inside = LinkAddress.Parse("inproc:" + _folder.Name);
        var settings = new (string Key, string Text)[]
        {
            ("data", "synthetic"), ("batch", Text(microbatches)), ("microbatches", Text(microbatches)), ("workers", Text(workers)), ("ps", "1"),
            ("steps", Text(steps)), ("evaluate", "false"), ("checkpoint-every", "0"), ("out", Path.Combine(_folder.FullName, "run")),
        };
        var resolved = RunResolver.Resolve(null, [.. settings.Select(s => new Setting(OptionTable.ByKey(s.Key)!, s.Text, s.Key, "benchmark"))], [], new ResolveEnvironment());
        _run = RunFolder.Create(resolved);
        var node = new NodeOptions(NodeOptions.Coordinator, NodeOptions.Coordinator, null, _address, default) { AlsoListen = inside };
        _coordinator = Task.Run(async () =>
        {
            using var material = RunMaterial.Open(resolved.Options, (_, data) => new EmptyEngines(data.ClassCount, new LeafLoad(0, Floats: floats)));
            return await CoordinatorNode.RunAsync(resolved, _run, node, material, this, _stop.Token);
        });
        var shard = new NodeOptions(NodeOptions.Shards, "ps-0", inside, new LinkAddress(LinkTransportKind.Unix, Path.Combine(_folder.FullName, "p"), 0), default);
        _shard = Task.Run(() => ShardHost.RunAsync(shard, CancellationToken.None));
    }

    /// <param name="loads">Per worker: what a leaf does.</param>
    public static ProtocolRun Start(IReadOnlyList<LeafLoad> loads, int microbatches, long steps)
    {
        var run = new ProtocolRun(loads.Count, microbatches, steps, loads[0].Floats);
        for (var i = 0; i < loads.Count; i++) run.StartWorker($"worker-{i}", loads[i]);
        return run;
    }

    /// <summary>Told of every commit, on the coordinator's thread.</summary>
    public Action<long>? OnCommitted { get; set; }

    /// <summary>Told of every sentence.</summary>
    public Action<string>? OnSaid { get; set; }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    public void StartWorker(string name, LeafLoad load)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[ProtocolWorker.Variable] = ProtocolWorker.Value(name, _address, load);
        var process = Process.Start(start) ?? throw new BenchmarkException($"{name} did not start");
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        lock (_workers) _workers[name] = process;
    }

    /// <summary>SIGKILL; returns when the process is reaped.</summary>
    public async Task KillAsync(string name)
    {
        Process process;
        lock (_workers) process = _workers[name];
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Waits for the last step.</summary>
    /// <exception cref="BenchmarkException">The run failed.</exception>
    public async Task FinishAsync(CancellationToken stop)
    {
        var ended = await Task.WhenAny(_coordinator, _shard).WaitAsync(stop);
        if (ended == _shard && _shard.Exception is { } e) throw new BenchmarkException($"the shard failed: {e.InnerException!.Message}", e);
        await _coordinator.WaitAsync(stop);
    }

    /// <summary>Milliseconds between two commits, in step order.</summary>
    public IReadOnlyList<double> StepTimes() =>
        [.. CommitLog.Read(File.ReadAllBytes(Path.Combine(_run.Location, RunFolder.CommitsName))).Lines.Select(static l => l.Milliseconds)];

    /// <summary>What events.jsonl tells so far.</summary>
    public IReadOnlyList<(string Kind, string Sentence)> Events()
    {
        var path = Path.Combine(_run.Location, RunFolder.EventsName);
        if (!File.Exists(path)) return [];
        var text = File.ReadAllText(path);
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line =>
        {
            using var json = JsonDocument.Parse(line);
            return (json.RootElement.GetProperty("kind").GetString()!, json.RootElement.GetProperty("sentence").GetString()!);
        })];
    }

    void ITrainingObserver.Starting(ResolvedRun run, string description) { }

    void ITrainingObserver.Committed(TrainingProgress progress) => OnCommitted?.Invoke(progress.Step);

    void ITrainingObserver.Evaluated(EvaluationResult result) { }

    void ITrainingObserver.Said(string sentence) => OnSaid?.Invoke(sentence);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _coordinator;
        }
        catch (ClusterException)
        {
            // Interrupted before its end.
        }
        await _shard;
        foreach (var process in _workers.Values)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _run.Dispose();
        _stop.Dispose();
        _folder.Delete(recursive: true);
    }
}
