using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Cli.Configuration;
using Cluster.Cli.Tests.Telemetry;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>/metrics, /healthz and the JSON log of real processes.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed partial class ExposureSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly World _world = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };

    public void Dispose()
    {
        _client.Dispose();
        _world.Dispose();
    }

    [Fact]
    public async Task A_run_shows_the_figures_of_all_its_nodes_and_is_ready_while_it_steps()
    {
        var address = $"127.0.0.1:{FreePort()}";
        using var cluster = RunningCluster.Start(_world.Folder, Training.Launch("run", 100_000, "--workers", "2", "--ps", "1", "--checkpoint-every", "0", "--monitor", address));
        string[] later = ["train_chunk_latency_seconds_count{node=\"ps-0\"}", "train_tensors_live{node=\"worker-0\"}", "train_memory_usage_bytes{node=\"worker-1\",kind=\"native\"}", "train_nodes{role=\"worker\"} 2"];
        var text = await UntilAsync($"http://{address}/metrics", body => body.Contains("train_step_last", StringComparison.Ordinal) && later.All(series => body.Contains(series, StringComparison.Ordinal))
            && ((string[])["coordinator", "ps-0", "worker-0", "worker-1"]).All(node => body.Contains($"dotnet_process_cpu_time_seconds_total{{node=\"{node}\"", StringComparison.Ordinal))
            && ((string[])["worker-0", "worker-1"]).All(node => body.Contains($"train_leaf_duration_seconds_count{{node=\"{node}\"", StringComparison.Ordinal)));
        Assert.EndsWith("# EOF\n", text);
        var runId = ConfigReader.Read(_world.PathOf("run")).RunId!;
        var exemplar = Exemplar().Match(text);
        Assert.True(exemplar.Success, text);
        Assert.Equal(StepTrace.IdOf(runId, new StepId(long.Parse(exemplar.Groups["step"].Value))).ToHexString(), exemplar.Groups["trace"].Value);
        // Steps go on, so that a moment in which it is ready comes, whatever a busy machine does meanwhile.
        await UntilAsync($"http://{address}/healthz/ready", static body => body.Contains("\"ok\"", StringComparison.Ordinal));
        await UntilAsync($"http://{address}/healthz/live", static body => body.Contains("\"ok\"", StringComparison.Ordinal));

        Promtool.Needed();
        using var plain = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/metrics");
        plain.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));
        var answer = await _client.SendAsync(plain, TestContext.Current.CancellationToken);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        Promtool.AcceptsInput(_world.Folder, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), "check", "metrics");
        // Prometheus' reader of OpenMetrics, exemplars and all; for a backfill it wants a time in every line.
        _world.Write("open.txt", Sample().Replace(text, "$0 1700000000"));
        Promtool.Accepts(_world.Folder, "tsdb", "create-blocks-from", "openmetrics", "open.txt", "blocks");
    }

    [Fact]
    public async Task A_worker_that_finds_no_coordinator_is_alive_and_not_ready()
    {
        var address = $"127.0.0.1:{FreePort()}";
        using var worker = RunningCluster.Start(_world.Folder, "node", "--role", "worker", "--join", "unix:" + _world.PathOf("nobody"), "--patience", "600", "--monitor", address);
        await UntilAsync($"http://{address}/healthz/live", static body => body.Contains("\"ok\"", StringComparison.Ordinal));
        using var ready = await _client.GetAsync($"http://{address}/healthz/ready", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("has not joined", await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("# EOF\n", await _client.GetStringAsync($"http://{address}/metrics", TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_JSON_log_is_JSON_to_its_last_line_and_leads_from_steps_to_traces()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, Training.Arguments("run", 2, "--workers", "1", "--checkpoint-every", "0", "--log", "json"));
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        var runId = ConfigReader.Read(_world.PathOf("run")).RunId!;
        var lines = outcome.OutputLines.Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.All(lines, static line => Assert.Equal(("info", "coordinator"), (line.GetProperty("level").GetString(), line.GetProperty("node").GetString())));
        Assert.StartsWith("state sha256 ", lines[^1].GetProperty("message").GetString());
        var steps = lines.Where(static line => line.TryGetProperty("step", out _)).ToList();
        Assert.NotEmpty(steps);
        Assert.All(steps, line => Assert.Equal(StepTrace.IdOf(runId, new StepId(line.GetProperty("step").GetInt64())).ToHexString(), line.GetProperty("trace_id").GetString()));

        var refused = Processes.Run(Processes.Cluster, _world.Folder, "train", "--log", "json", "--model", "nothing");
        Assert.Equal(2, refused.ExitCode);
        Assert.All(refused.ErrorLines, static line => Assert.Equal("error", JsonDocument.Parse(line).RootElement.GetProperty("level").GetString()));
    }

    /// <summary>Asks until the answer is as wanted; whoever is asked may not be there yet.</summary>
    private async Task<string> UntilAsync(string address, Func<string, bool> isWanted)
    {
        var last = "nothing";
        for (var deadline = DateTime.UtcNow + Patience; DateTime.UtcNow < deadline; await Task.Delay(100, TestContext.Current.CancellationToken))
        {
            try
            {
                using var answer = await _client.GetAsync(address, TestContext.Current.CancellationToken);
                last = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if (isWanted(last)) return last;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                last = e.Message;
            }
        }
        Assert.Fail($"{address} did not answer as wanted in {Patience}: {last}");
        return last;
    }

    /// <summary>Below those that the system gives to others on its own.</summary>
    private static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(20_000, 32_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }

    [GeneratedRegex("""train_step_duration_seconds_bucket.* # \{trace_id="(?<trace>[0-9a-f]{32})",step="(?<step>\d+)"\}""")]
    private static partial Regex Exemplar();

    [GeneratedRegex("""^[a-z][a-z0-9_]*(\{([^"}]|"([^"\\]|\\.)*")*\})? \S+""", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Sample();
}
