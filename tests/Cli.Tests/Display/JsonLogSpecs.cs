using System.Globalization;
using System.Text.Json;
using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Cluster.Cli.Launch;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Display;

public sealed class JsonLogSpecs : IDisposable
{
    private readonly StringWriter _output = new(CultureInfo.InvariantCulture), _error = new(CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private static List<JsonElement> Lines(StringWriter writer) =>
        [.. writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];

    private static string Text(JsonElement line, string key) => line.GetProperty(key).GetString()!;

    [Fact]
    public void Everything_that_is_printed_becomes_one_object_per_line_and_nothing_breaks_out_of_it()
    {
        var log = new JsonLog(_output, "worker-1", isError: true, TimeProvider.System);
        log.Write("half ");
        log.WriteLine("a \"line\"\t{\"time\":");
        log.WriteLine();
        log.Write("one\ntwo\n".ToCharArray(), 0, 8);
        log.WriteLine("cluster: it failed");
        var lines = Lines(_output);
        Assert.Equal(["half a \"line\"\t{\"time\":", "one", "two", "cluster: it failed"], lines.Select(static l => Text(l, "message")));
        Assert.Equal(["warning", "warning", "warning", "error"], lines.Select(static l => Text(l, "level")));
        Assert.All(lines, static l => Assert.Equal("worker-1", Text(l, "node")));
    }

    [Fact]
    public void A_line_that_is_one_of_a_JSON_log_stays_as_it_is()
    {
        var line = JsonLine.Write(DateTimeOffset.UnixEpoch, JsonLine.Info, "ps-0", "said", 7, "00");
        Assert.Equal("""{"time":"1970-01-01T00:00:00.000Z","level":"info","node":"ps-0","step":7,"message":"said","trace_id":"00"}""", line);
        var printer = new LogPrinter(_output, _error, ["coordinator", "ps-0"], colours: true, bare: "coordinator") { IsJson = true };
        printer.Line("ps-0", isError: false, line);
        printer.Line("ps-0", isError: true, "bad");
        printer.Said("ps-0", "restarted");
        Assert.Equal(line + "\n", _output.ToString());
        Assert.Equal([("ps-0", "bad"), ("ps-0", "restarted")], Lines(_error).Select(static l => (Text(l, "node"), Text(l, "message"))));
    }

    [Fact]
    public void A_line_about_a_step_has_its_number_and_the_id_of_its_trace()
    {
        using var world = new World();
        var run = world.Resolve(null);
        var display = new JsonDisplay(_output, "coordinator", TimeProvider.System);
        display.Starting(run, "a run");
        display.Committed(new TrainingProgress(3, 9, 0, 0.5, double.NaN, 0.5, 0.1, 1, 100, TimeSpan.Zero, TimeSpan.Zero));
        var line = Lines(_output)[1];
        Assert.Equal(3, line.GetProperty("step").GetInt64());
        Assert.Equal(StepTrace.IdOf(run.RunId, new StepId(3)).ToHexString(), Text(line, "trace_id"));
        Assert.StartsWith("step 3/9  ", Text(line, "message"));
        Assert.False(Lines(_output)[0].TryGetProperty("step", out _));
    }
}
