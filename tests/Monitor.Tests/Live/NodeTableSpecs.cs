using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Live;

namespace Cluster.Coordinator.Monitor.Tests.Live;

/// <summary>Where each worker and shard is, from what is committed, said and reported.</summary>
public sealed class NodeTableSpecs
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly NodeTable _table = new();

    public NodeTableSpecs() => _table.Expect(workers: 3, shards: 2);

    private NodeRow Row(string name) => _table.Rows.Single(r => r.Name == name);

    private void Commit(long step, params int[] workers) => _table.Committed(
        new CommitRecord(Term.First, new StepId(step), 1, 0, 64, 1, 0.5, 1, 1, 0.1, true, [.. workers.Select(static w => new LeafRecord(new WorkerId(w), 16, 0))]), TimeSpan.FromMilliseconds(20));

    private void Happen(string kind, string? node, string sentence = "") => _table.Happened(new RunEvent(Noon, kind, node, "step", sentence));

    [Fact]
    public void Nodes_stand_in_the_order_of_people_and_wait_at_first()
    {
        _table.Reported("coordinator", new NodeReport([]), Noon);
        _table.Expect(workers: 11, shards: 2);
        Assert.Equal([.. Enumerable.Range(0, 11).Select(static i => $"worker-{i}"), "ps-0", "ps-1", "coordinator"], _table.Rows.Select(static r => r.Name));
        Assert.All(_table.Rows.SkipLast(1), static r => Assert.Equal(NodeState.Waiting, r.State));
    }

    [Fact]
    public void A_committed_step_tells_who_works_how_much_and_how_fast()
    {
        Commit(1, 0, 0, 0, 1);
        Assert.Equal((NodeState.Working, 0.75), (Row("worker-0").State, Row("worker-0").Share));
        Assert.Equal(0.25, Row("worker-1").Share);
        Assert.Equal(48 / 0.020, Row("worker-0").Speed!.Value, 6);
        Assert.Equal(NodeState.Waiting, Row("worker-2").State);
        Assert.Equal(NodeState.Working, Row("ps-1").State);
    }

    [Theory]
    [InlineData("worker-lost", NodeState.Lost)]
    [InlineData("worker-hung", NodeState.Stuck)]
    [InlineData("process-ended", NodeState.Lost)]
    [InlineData("worker-left", NodeState.Left)]
    [InlineData("worker-late", NodeState.Late)]
    [InlineData("worker-quarantined", NodeState.Quarantined)]
    [InlineData("evaluated", NodeState.Working)]
    [InlineData("a word of a later version", NodeState.Working)]
    public void A_sentence_tells_what_became_of_a_worker(string kind, NodeState expected)
    {
        Commit(1, 0, 1, 2);
        Happen(kind, "worker-1");
        Assert.Equal(expected, Row("worker-1").State);
        Assert.Equal(NodeState.Working, Row("worker-0").State);
    }

    [Fact]
    public void A_lost_worker_stays_lost_until_it_joins_again_even_if_a_step_has_leaves_of_it()
    {
        Commit(1, 0, 1, 2);
        Happen("worker-lost", "worker-1");
        Commit(2, 0, 1, 2);
        Happen("process-ended", "worker-1", "worker-1 (process 7) was killed by SIGKILL.");
        Happen("process-started", "worker-1", "worker-1 runs as process 8.");
        Happen("membership", "worker-1", "worker-1 is lost (the connection was closed): its leaves go to others");
        Assert.Equal(NodeState.Lost, Row("worker-1").State);
        Happen("membership", "worker-1", "worker-1 joins anew (incarnation 2 after 1)");
        Assert.Equal(NodeState.Waiting, Row("worker-1").State);
        Happen("worker-joined", "worker-1");
        Assert.Equal(NodeState.Waiting, Row("worker-1").State);
        Commit(3, 0, 1, 2);
        Assert.Equal(NodeState.Working, Row("worker-1").State);
    }

    [Theory]
    [InlineData("worker-late", NodeState.Late)]
    [InlineData("worker-hung", NodeState.Stuck)]
    public void A_late_worker_is_in_time_again_with_the_next_leaves_of_its_own(string kind, NodeState meanwhile)
    {
        Commit(1, 0, 1);
        Happen(kind, "worker-1");
        Commit(2, 0, 0);
        Assert.Equal(meanwhile, Row("worker-1").State);
        Commit(3, 0, 1);
        Assert.Equal(NodeState.Working, Row("worker-1").State);
    }

    [Fact]
    public void Who_is_quarantined_stays_it()
    {
        Commit(1, 0, 1);
        Happen("worker-quarantined", "worker-1");
        Happen("worker-joined", "worker-1");
        Happen("worker-lost", "worker-1");
        Commit(2, 0, 1);
        Assert.Equal(NodeState.Quarantined, Row("worker-1").State);
    }

    [Fact]
    public void A_report_brings_memory_and_a_shard_that_joined_again_works()
    {
        Happen("shard-lost", "ps-0");
        _table.Reported("ps-0", new NodeReport([]), Noon);
        Assert.Equal(NodeState.Lost, Row("ps-0").State);
        Happen("membership", "ps-0", "ps-0 joins anew");
        _table.Reported("ps-0", new NodeReport([new NodeFigure("train.memory.usage", "resident", 5e8), new NodeFigure("other", "", 1)]), Noon);
        Assert.Equal((NodeState.Working, 5e8, Noon), (Row("ps-0").State, Row("ps-0").Memory, Row("ps-0").HeardAt));
        _table.Reported("ps-0", new NodeReport([new NodeFigure("train.memory.usage", "resident", double.NaN)]), Noon);
        Assert.Equal(5e8, Row("ps-0").Memory);
    }

    [Fact]
    public void Strangers_do_not_fill_the_memory()
    {
        for (var i = 0; i < 5000; i++) _table.Reported($"stranger-{i}", new NodeReport([]), Noon);
        Assert.InRange(_table.Rows.Count, 5, 2048);
    }
}
