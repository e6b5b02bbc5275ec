using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Coordinator.Monitor.Metrics;

namespace Cluster.Cli.Tests.Telemetry;

/// <summary>The files in ops/ fit the metrics that there are.</summary>
public sealed partial class OpsFilesSpecs
{
    private static readonly string Rules = File.ReadAllText(Repository.PathOf("ops/prometheus/rules.yml"));

    /// <summary>Every name that a query may use: those of samples, and those that rules record.</summary>
    private static HashSet<string> Known =>
    [
        .. MetricCatalog.All.SelectMany(static row => row.Kind switch
        {
            MetricKind.Counter => (string[])[row.ExposedName + "_total"],
            MetricKind.Histogram => [row.ExposedName + "_bucket", row.ExposedName + "_sum", row.ExposedName + "_count"],
            _ => [row.ExposedName],
        }),
        .. RecordedName().Matches(Rules).Select(static m => m.Groups[1].Value),
    ];

    [Theory]
    [InlineData("ops/grafana/run.json")]
    [InlineData("ops/grafana/cluster.json")]
    public void Dashboards_ask_for_metrics_that_exist(string file)
    {
        using var board = JsonDocument.Parse(File.ReadAllText(Repository.PathOf(file)));
        var panels = board.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Distinct(panels.Select(static p => p.GetProperty("id").GetInt32()));
        Assert.All(panels, static panel =>
        {
            var names = panel.GetProperty("targets").EnumerateArray().SelectMany(static t => MetricName().Matches(t.GetProperty("expr").GetString()!)).Select(static m => m.Value).ToList();
            Assert.NotEmpty(names);
            Assert.Empty(names.Except(Known));
        });
        var variables = board.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray().Select(static v => v.GetProperty("query").GetString()!);
        Assert.Empty(variables.SelectMany(static q => MetricName().Matches(q)).Select(static m => m.Value).Except(Known));
    }

    [Fact]
    public void Rules_ask_for_metrics_that_exist()
    {
        var names = Expression().Matches(Rules).SelectMany(static m => MetricName().Matches(m.Value)).Select(static m => m.Value).Distinct().ToList();
        Assert.Contains("train_steps_committed_total", names);
        Assert.Empty(names.Except(Known));
    }

    [Fact]
    public void Every_alert_has_a_unit_test()
    {
        var tests = File.ReadAllText(Repository.PathOf("ops/prometheus/tests.yml"));
        var alerts = AlertName().Matches(Rules).Select(static m => m.Groups[1].Value).ToList();
        Assert.True(alerts.Count >= 8, $"only {alerts.Count} alerts");
        Assert.All(alerts, alert => Assert.Contains($"- name: {alert}\n", tests));
    }

    [Fact]
    public void Promtool_accepts_configuration_and_rules_and_their_tests_pass()
    {
        Promtool.Needed();
        var folder = Repository.PathOf("ops/prometheus");
        Promtool.Accepts(folder, "check", "config", "prometheus.yml");
        Promtool.Accepts(folder, "check", "rules", "rules.yml");
        Promtool.Accepts(folder, "test", "rules", "tests.yml");
    }

    [GeneratedRegex("(?<![a-zA-Z0-9_:])(train|dotnet)(:[a-z0-9_:]+|_[a-z0-9_]+)")]
    private static partial Regex MetricName();

    [GeneratedRegex("record: (.+)")]
    private static partial Regex RecordedName();

    [GeneratedRegex("expr: .+")]
    private static partial Regex Expression();

    [GeneratedRegex("alert: (.+)")]
    private static partial Regex AlertName();
}
