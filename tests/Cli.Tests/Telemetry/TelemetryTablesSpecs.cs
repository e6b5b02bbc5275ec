using Cluster.Cli.Telemetry;

namespace Cluster.Cli.Tests.Telemetry;

/// <summary>What the documentation says of spans, attributes and metrics is what the code has.</summary>
public sealed class TelemetryTablesSpecs
{
    [Fact]
    public void Every_span_and_attribute_has_a_row()
    {
        Assert.Equal(TelemetryTables.SpanNames.Order(), TelemetryTables.Spans.Select(static row => row.Name).Order());
        Assert.Equal(TelemetryTables.TagNames.Order(), TelemetryTables.Tags.Select(static row => row.Name).Order());
    }

    [Fact]
    public void The_documentation_page_says_what_the_tables_say() =>
        Assert.Equal(TelemetryHelp.Markdown(), File.ReadAllText(Repository.PathOf("docs/telemetry.md")));
}
