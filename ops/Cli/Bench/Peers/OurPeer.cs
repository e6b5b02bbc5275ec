using System.Text.Json;
using Cluster.Cli.Configuration;

namespace Cluster.Cli.Bench.Peers;

/// <summary>Our sides: this very program trains in a temporary folder, and the steps that count are read from commits.jsonl.</summary>
internal static class OurPeer
{
    /// <summary>Trains with the workers of one run; one place, so that the verb can be another.</summary>
    public const string Verb = "launch";

    /// <summary>K where nobody chooses it.</summary>
    public static int DefaultMicrobatches { get; } = new Contracts.RunOptions().Microbatches;

    private static readonly string[] Plain =
    [
        // The same on PyTorch's side: momentum SGD at a constant rate, plain cross-entropy, images as they are.
        "--data", "synthetic", "--threads", "1", "--ps", "1", "--schedule", "constant", "--lr", "0.01", "--momentum", "0.9", "--dampening", "0",
        "--nesterov", "false", "--weight-decay", "0", "--clip-norm", "0", "--label-smoothing", "0", "--logit-scale", "1",
        "--pad-crop", "0", "--flip", "false", "--cutout", "0",
        // Training alone.
        "--evaluate", "false", "--eval-every", "0", "--checkpoint-every", "0",
    ];

    /// <summary>One run with all workers.</summary>
    /// <param name="microbatches">K.</param>
    /// <returns>Images/s over the steps that count.</returns>
    /// <exception cref="BenchmarkException">The run failed.</exception>
    public static async Task<double> TogetherAsync(PeerWorkload work, int microbatches, CancellationToken stop)
    {
        var commits = await TrainAsync(Verb, work, work.Workers, microbatches, work.WarmUp + work.Steps, stop);
        return RateOf(commits, work.WarmUp, work.Steps);
    }

    /// <summary>One run in which one worker drives as many devices as there would be workers.</summary>
    /// <inheritdoc cref="TogetherAsync"/>
    public static async Task<double> InOneWorkerAsync(PeerWorkload work, int microbatches, CancellationToken stop)
    {
        var commits = await TrainAsync(Verb, work, workers: 1, microbatches, work.WarmUp + work.Steps, stop, devices: work.Workers);
        return RateOf(commits, work.WarmUp, work.Steps);
    }

    /// <summary>One run of one worker for each core, all at the same time: the engine without company.</summary>
    /// <returns>The sum of their images/s. What counts is the middle of each, where all of them run.</returns>
    public static async Task<double> AloneAsync(PeerWorkload work, CancellationToken stop)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var runs = Enumerable.Range(0, work.Workers).Select(async _ =>
        {
            try
            {
                return await TrainAsync("train", work with { Workers = 1 }, workers: 1, microbatches: 1, work.WarmUp + work.Steps + work.WarmUp, failed.Token);
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }).ToArray();
        return (await Task.WhenAll(runs)).Sum(commits => RateOf(commits, work.WarmUp, work.Steps));
    }

    /// <returns>Samples and milliseconds of every commit.</returns>
    private static async Task<IReadOnlyList<Commit>> TrainAsync(string verb, PeerWorkload work, int workers, int microbatches, int steps, CancellationToken stop, int devices = 1)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-bench-");
        try
        {
            var run = Path.Combine(folder.FullName, "run");
            string[] arguments =
            [
                verb, "--model", work.Model, "--batch", $"{work.Batch}", "--microbatches", $"{microbatches}", "--workers", $"{workers}", "--devices-per-worker", $"{devices}", "--steps", $"{steps}",
                "--out", run, .. Plain,
            ];
            await using (var process = MeasuredProcess.Start($"cluster {verb}", Path.Combine(AppContext.BaseDirectory, "cluster"), arguments, threads: 1))
                await process.FinishAsync(stop);
            return Read(await File.ReadAllLinesAsync(Path.Combine(run, RunFolder.CommitsName), stop));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <param name="lines">Of commits.jsonl.</param>
    /// <exception cref="BenchmarkException">A line lacks samples or ms.</exception>
    internal static IReadOnlyList<Commit> Read(IEnumerable<string> lines)
    {
        var commits = new List<Commit>();
        foreach (var line in lines)
        {
            try
            {
                using var json = JsonDocument.Parse(line);
                commits.Add(new Commit(json.RootElement.GetProperty("samples").GetInt32(), json.RootElement.GetProperty("ms").GetDouble()));
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new BenchmarkException($"{RunFolder.CommitsName}, line {commits.Count + 1}, does not say samples and ms: {e.Message}", e);
            }
        }
        return commits;
    }

    /// <summary>Images/s over <paramref name="steps"/> commits after the first <paramref name="warmUp"/>. summary.json's rate would count the warm-up too.</summary>
    internal static double RateOf(IReadOnlyList<Commit> commits, int warmUp, int steps)
    {
        if (commits.Count < warmUp + steps) throw new BenchmarkException($"the run committed {commits.Count} steps, not {warmUp + steps}");
        var counted = commits.Skip(warmUp).Take(steps).ToArray();
        return counted.Sum(static commit => (double)commit.Samples) / counted.Sum(static commit => commit.Milliseconds) * 1e3;
    }
}

/// <summary>What a line of commits.jsonl says about speed.</summary>
/// <param name="Milliseconds">Since the commit before.</param>
internal readonly record struct Commit(int Samples, double Milliseconds);
