using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;
using static Cluster.Contracts.ClusterTelemetry;
using static Cluster.Coordinator.Monitor.Tests.Traces.Made;

namespace Cluster.Coordinator.Monitor.Tests.Traces;

/// <summary>What counts as a whole trace, and what a kill excuses.</summary>
public sealed class TraceCheckSpecs
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddTicks(Origin / 100);

    private static TraceVerdict Check((string, SpanRecord)[] spans, long dropped = 0, params ProcessEnd[] ends) => TraceCheck.Run(RunId, [1], spans, ends, dropped);

    /// <summary>A worker's node is summed: its span was never told of.</summary>
    private static (string, SpanRecord)[] Unlinked() =>
        Of("ps-0", Root(1), Child(1, 2, Spans.Reduce, 10, 20) with { Links = [Link(1, 77, new SpanTag(Tags.Worker, "worker-1"))] });

    [Fact]
    public void A_step_with_one_root_and_all_its_parents_is_whole() =>
        Assert.True(Check(Of("local", Root(1), Child(1, 2, Spans.Lease, 1, 9), Child(1, 3, Spans.Forward, 2, 5, 2))).IsWhole);

    [Fact]
    public void A_committed_step_needs_its_trace_and_one_root()
    {
        Assert.Equal("step 1 is committed and has no trace", Assert.Single(Check(Of("local", Root(2))).Problems));
        Assert.Equal("the trace of step 1 has 2 roots", Assert.Single(Check(Of("local", Root(1), Root(1) with { SpanId = 9 })).Problems));
        Assert.Contains("has 0 roots", Check(Of("local", Child(1, 2, Spans.Commit, 1, 2))).Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_nowhere_is_excused_by_the_end_of_its_worker_at_that_time_and_by_nothing_else()
    {
        Assert.False(Check(Unlinked()).IsWhole);
        var killed = Check(Unlinked(), 0, new ProcessEnd("worker-1", Start.AddMilliseconds(50)));
        Assert.Equal((true, 1), (killed.IsWhole, killed.Excused));
        Assert.True(Check(Unlinked(), 0, new ProcessEnd(null, Start.AddMilliseconds(50))).IsWhole);
        Assert.False(Check(Unlinked(), 0, new ProcessEnd("worker-2", Start.AddMilliseconds(50))).IsWhole);
        Assert.False(Check(Unlinked(), 0, new ProcessEnd("worker-1", Start.AddMinutes(5))).IsWhole);
        Assert.False(Check(Unlinked(), 0, new ProcessEnd("worker-1", Start.AddMinutes(-5))).IsWhole);
        Assert.True(Check(Unlinked(), dropped: 1).IsWhole);
    }

    [Fact]
    public void A_lease_that_is_gone_is_excused_by_the_end_of_its_coordinator()
    {
        var spans = Of("worker-0", Root(1), Child(1, 3, Spans.Forward, 2, 5, 2));
        Assert.False(Check(spans, 0, new ProcessEnd("worker-0", Start)).IsWhole);
        Assert.True(Check(spans, 0, new ProcessEnd("coordinator", Start)).IsWhole);
    }
}
