using Cluster.Cli.Configuration;
using Cluster.Contracts;
using static Cluster.Contracts.ClusterTelemetry;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>What a real collector receives of a real run.</summary>
[Trait("Clock", "wall")]
public sealed class TraceSpecs : IDisposable
{
    private const int Workers = 2, Shards = 3, Leaves = 8;

    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task Every_committed_step_is_one_whole_trace_whose_id_follows_from_run_and_step()
    {
        await using var collector = await OtlpCollector.StartAsync();
        using (var cluster = RunningCluster.Start(_world.Folder, collector.Environment, Arguments($"{Workers}", $"{Shards}")))
            Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(await cluster.EndAsync()));

        var runId = ConfigReader.Read(_world.PathOf("run")).RunId!;
        Assert.Equal(Training.ShortSteps, collector.Spans.Count(static span => span.Name == Spans.Step));
        Assert.NotEqual(0, collector.MetricRequests);
        var traces = collector.Spans.ToLookup(static span => span.Trace);
        for (var step = 1; step <= Training.ShortSteps; step++)
            IsWhole(runId, step, [.. traces[StepTrace.IdOf(runId, new StepId(step)).ToHexString()]]);
    }

    private static void IsWhole(string runId, int step, IReadOnlyList<OtlpSpan> trace)
    {
        Assert.Equal(Spans.Step, Assert.Single(trace, static span => span.Parent.Length == 0).Name);
        var byId = trace.ToDictionary(static span => span.Id);
        Assert.All(trace, span =>
        {
            Assert.True(span.Parent.Length == 0 || byId.ContainsKey(span.Parent), $"'{span.Name}' has a parent that was never sent");
            Assert.True(span.Start <= span.End, $"'{span.Name}' ends before it begins");
            Assert.Equal(runId, span.Resource[Tags.RunId]);
        });

        int Count(string name) => trace.Count(span => span.Name == name);
        Assert.All([Spans.Step, Spans.NormRound, Spans.Commit], name => Assert.Equal((name, 1), (name, Count(name))));
        // The run is over with its last record: nobody waits until a busy worker has taken the last weights.
        if (step < Training.ShortSteps) Assert.Equal((step, Workers), (step, Count(Spans.WeightsReceived)));
        else Assert.InRange(Count(Spans.WeightsReceived), 0, Workers);
        // A worker that a busy machine has held up gets no leaf for once, or has one of its leaves computed by the other as well.
        Assert.InRange(Count(Spans.Lease), 1, 2 * Workers);
        Assert.All([Spans.Reduce, Spans.Apply, Spans.Broadcast], name => Assert.Equal((name, Shards), (name, Count(name))));
        var computed = Count(Spans.Forward);
        Assert.InRange(computed, Leaves, 2 * Leaves);
        Assert.All([Spans.DataWait, Spans.Backward, Spans.LocalSum], name => Assert.Equal((name, computed), (name, Count(name))));
        var sends = trace.Where(static span => span.Name == Spans.Send).Select(static span => (span.Trace, span.Id)).Order().ToArray();
        Assert.InRange(sends.Length, 1, computed);
        Assert.All(trace.Where(static span => span.Name == Spans.Reduce), reduce =>
        {
            Assert.NotEmpty(reduce.Links);
            Assert.Empty(reduce.Links.Except(sends));
            if (computed == Leaves) Assert.Equal(sends, reduce.Links.Order());
        });
        Assert.All(trace.Where(static span => span.Name is Spans.Forward or Spans.Backward or Spans.Send), span => Assert.Equal(Spans.Lease, byId[span.Parent].Name));
    }

    /// <summary>Nobody listens on port 1 of the loopback.</summary>
    [Fact]
    public async Task A_collector_that_is_down_costs_spans_and_nothing_else()
    {
        using var cluster = RunningCluster.Start(_world.Folder, OtlpCollector.EnvironmentFor("http://127.0.0.1:1"), Arguments("1", "1"));
        var outcome = await cluster.EndAsync();
        Assert.Equal(Training.Expected(Training.ShortSteps), Training.HashOf(outcome));
        Assert.Empty(outcome.Error);
        Assert.Single(outcome.OutputLines, static line => line.Contains("The telemetry collector at http://127.0.0.1:1 takes nothing", StringComparison.Ordinal));
    }

    /// <summary>Loading the weights of step v is no part of step v, whose trace an earlier process sent.</summary>
    [Fact]
    public async Task A_resumed_process_begins_with_a_trace_of_its_own()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        var first = await InterruptedAsync(folder, 0, [], Training.Arguments("run", Training.Steps, "--workers", "2"));
        await using var collector = await OtlpCollector.StartAsync();
        var second = await InterruptedAsync(folder, first, collector.Environment, "train", "--resume", "--out", "run");
        Assert.InRange(second, first + 1, Training.Steps - 1);

        var runId = ConfigReader.Read(folder).RunId!;
        var initialize = Assert.Single(collector.Spans, static span => span.Name == Spans.Initialize);
        Assert.Empty(initialize.Parent);
        Assert.DoesNotContain(initialize.Trace, Enumerable.Range(0, Training.Steps + 1).Select(step => StepTrace.IdOf(runId, new StepId(step)).ToHexString()));
        Assert.Equal(
            Enumerable.Range(first + 1, second - first).Select(step => StepTrace.IdOf(runId, new StepId(step)).ToHexString()).Order(StringComparer.Ordinal),
            collector.Spans.Where(static span => span.Name == Spans.Step).Select(static span => span.Trace).Order(StringComparer.Ordinal));
    }

    /// <summary>Ends a process a little after so many steps; how many there are then.</summary>
    private async Task<int> InterruptedAsync(string folder, int after, Dictionary<string, string> environment, params string[] arguments)
    {
        using var cluster = RunningCluster.Start(_world.Folder, environment, arguments);
        await cluster.CommittedAsync(folder, after + 2);
        cluster.Signal(RunningCluster.Interrupt);
        Assert.Equal(130, (await cluster.EndAsync()).ExitCode);
        return Training.CommittedSteps(folder);
    }

    private static string[] Arguments(string workers, string shards) =>
        Training.Arguments("run", Training.ShortSteps, "--workers", workers, "--ps", shards, "--checkpoint-every", "0");
}
