using Cluster.Contracts;

namespace Cluster.Membership.Tests;

/// <summary>The registry's decisions, on virtual time.</summary>
public sealed class MemberTableSpecs
{
    private readonly MemberTableDriver _run = new();

    [Fact]
    public void Newcomer_without_a_name_gets_the_lowest_free_one_of_its_role()
    {
        Assert.Equal(["named worker-0#5", "admit worker-0#5", "view: worker-0#5", "worker-0 joins"], _run.Hello(null, 5));
        Assert.Equal("named worker-1#6", _run.Hello(null, 6)[0]);
        Assert.Equal("named ps-0#7", _run.Hello(null, 7, MemberRole.ParameterServer)[0]);
        Assert.Equal("ps-0#7 worker-0#5 worker-1#6", _run.Members);
        _run.Lost("worker-0", 5);
        Assert.Equal("named worker-0#8", _run.Hello(null, 8)[0]);
    }

    [Fact]
    public void Lost_node_leaves_the_view_with_the_cause_and_the_consequence()
    {
        _run.Hello("worker-2", 5);
        Assert.Equal(["view: ", "worker-2 is lost (connection reset): its leaves go to others"], _run.Lost("worker-2", 5));
        Assert.Empty(_run.Lost("worker-2", 5));
        Assert.Empty(_run.Lost("worker-9", 5));
    }

    [Fact]
    public void Node_that_comes_back_needs_a_newer_incarnation()
    {
        _run.Hello("worker-0", 5);
        _run.Lost("worker-0", 5);
        Assert.Equal(["refuse: incarnation 5 of worker-0 is not newer than incarnation 5, which was here; start the process again"], _run.Hello("worker-0", 5));
        Assert.StartsWith("refuse: incarnation 4", _run.Hello("worker-0", 4)[0], StringComparison.Ordinal);
        Assert.Equal(["named worker-0#6", "admit worker-0#6", "view: worker-0#6", "worker-0 joins anew (incarnation 6 after 5)"], _run.Hello("worker-0", 6));
        Assert.Empty(_run.Lost("worker-0", 5));
        Assert.Equal("worker-0#6", _run.Members);
    }

    [Fact]
    public void Second_living_node_of_a_name_is_refused_for_now_with_the_reason()
    {
        _run.Hello("worker-0", 5, address: "first:1");
        Assert.Equal(
            ["refuse for now: worker-0 is taken by a living process at first:1 (incarnation 5); stop that one, or join without a name"], _run.Hello("worker-0", 6, address: "second:1"));
        _run.Leaving("worker-0", 5);
        Assert.StartsWith("refuse for now", _run.Hello("worker-0", 6)[0], StringComparison.Ordinal);
        Assert.Equal("worker-0#5-", _run.Members);
    }

    [Fact]
    public void Hello_that_comes_twice_from_one_process_changes_nothing()
    {
        _run.Hello("worker-0", 5);
        Assert.Equal(["named worker-0#5", "admit worker-0#5"], _run.Hello("worker-0", 5));
    }

    [Fact]
    public void Silent_node_leaves_the_view_and_comes_back_as_it_was()
    {
        _run.Hello("worker-0", 5);
        Assert.Equal(["view: ", "worker-0 is silent for 500 ms: its leaves go to others"], _run.At(10).Silent("worker-0", 5));
        Assert.Empty(_run.Silent("worker-0", 5));
        Assert.Equal(["admit worker-0#5", "view: worker-0#5", "worker-0 joins again, after 3.0 s of silence"], _run.At(12.5).Heard("worker-0", 5));
        Assert.Empty(_run.Heard("worker-0", 5));
    }

    [Fact]
    public void Silent_node_may_be_replaced_and_is_void_from_then_on()
    {
        _run.Hello("worker-0", 5);
        _run.Silent("worker-0", 5);
        Assert.StartsWith("refuse: incarnation 4", _run.Hello("worker-0", 4)[0], StringComparison.Ordinal);
        Assert.Equal(["void worker-0#5", "named worker-0#6", "admit worker-0#6", "view: worker-0#6", "worker-0 joins anew (incarnation 6 after 5)"], _run.Hello("worker-0", 6));
        Assert.Equal(["void worker-0#5"], _run.Heard("worker-0", 5));
        Assert.Empty(_run.Silent("worker-0", 5));
        Assert.Empty(_run.Leaving("worker-0", 5));
        Assert.Empty(_run.Lost("worker-0", 5));
        Assert.Equal("worker-0#6", _run.Members);
    }

    [Fact]
    public void Name_of_a_silent_node_is_not_given_to_a_newcomer_without_one()
    {
        _run.Hello("worker-0", 5);
        _run.Silent("worker-0", 5);
        Assert.Equal("named worker-1#6", _run.Hello(null, 6)[0]);
    }

    [Fact]
    public void Silent_node_that_dies_is_said_and_changes_no_view()
    {
        _run.Hello("worker-0", 5);
        _run.At(1).Silent("worker-0", 5);
        Assert.Equal(["worker-0, silent for 2.0 s, is lost (no route)"], _run.At(2.5).Lost("worker-0", 5, "no route"));
        Assert.Equal("named worker-0#6", _run.Hello(null, 6)[0]);
    }

    [Fact]
    public void Planned_leave_is_seen_before_the_node_goes()
    {
        _run.Hello("worker-0", 5);
        Assert.Equal(["view: worker-0#5-", "worker-0 leaves as planned: it finishes its work and gets no more"], _run.Leaving("worker-0", 5));
        Assert.Empty(_run.Leaving("worker-0", 5));
        Assert.Equal(["view: ", "worker-0 has left as planned"], _run.Lost("worker-0", 5));
    }

    [Fact]
    public void Node_that_pauses_while_it_leaves_still_leaves_when_it_is_back()
    {
        _run.Hello("worker-0", 5);
        _run.Leaving("worker-0", 5);
        _run.Silent("worker-0", 5);
        Assert.Contains("view: worker-0#5-", _run.Heard("worker-0", 5));
    }

    [Fact]
    public void Lost_shards_consequence_is_its_own()
    {
        _run.Hello(null, 5, MemberRole.ParameterServer);
        Assert.Contains("standbys", _run.Lost("ps-0", 5)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Flapping_node_is_let_in_ever_more_slowly_and_that_is_said_once()
    {
        var said = new List<string>();
        var waits = new List<double>();
        for (var incarnation = 1; incarnation <= 14; incarnation++)
        {
            said.AddRange(_run.Hello("worker-0", incarnation).Where(line => line.Contains("slowly", StringComparison.Ordinal)));
            if (_run.Members.Length == 0)
            {
                waits.Add((_run.Table.NextDeadline - _run.Now).TotalSeconds);
                Assert.Empty(_run.At(_run.Table.NextDeadline.TotalSeconds - 0.001).Tick());
                Assert.Equal([$"admit worker-0#{incarnation}", $"view: worker-0#{incarnation}", "worker-0 joins after its hold-off"], _run.At(_run.Table.NextDeadline.TotalSeconds).Tick());
            }
            _run.Lost("worker-0", incarnation);
        }

        // Six are free; then the waits double, until enough of the joins are older than a minute.
        Assert.Equal([1, 2, 4, 8, 16, 30], waits.Take(6));
        Assert.Equal(["worker-0 joined 6 times within 60.0 s: it is let in more slowly until it stays, after 1.0 s now and at most 30.0 s later"], said);
    }

    [Fact]
    public void Node_that_stays_for_the_whole_window_is_steady_again()
    {
        for (var incarnation = 1; incarnation <= 7; incarnation++)
        {
            _run.Hello("worker-0", incarnation);
            if (incarnation < 7) _run.Lost("worker-0", incarnation);
        }
        _run.At(1).Tick();
        _run.At(61).Lost("worker-0", 7);
        for (var incarnation = 8; incarnation <= 13; incarnation++)
        {
            Assert.Contains($"admit worker-0#{incarnation}", _run.Hello("worker-0", incarnation));
            _run.Lost("worker-0", incarnation);
        }
        Assert.Contains("slowly", _run.Hello("worker-0", 14)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Held_node_that_dies_and_starts_again_waits_no_longer_and_no_shorter()
    {
        for (var incarnation = 1; incarnation <= 7; incarnation++)
        {
            _run.Hello("worker-0", incarnation);
            if (incarnation < 7) _run.Lost("worker-0", incarnation);
        }
        var due = _run.Table.NextDeadline;
        Assert.Equal(["void worker-0#7", "named worker-0#8"], _run.Hello("worker-0", 8));
        Assert.Equal(due, _run.Table.NextDeadline);
        Assert.Empty(_run.Lost("worker-0", 7));
        Assert.Equal("admit worker-0#8", _run.At(due.TotalSeconds).Tick()[0]);
    }

    [Fact]
    public void Node_that_pauses_too_often_is_held_too()
    {
        _run.Hello("worker-0", 5);
        for (var i = 0; i < 5; i++)
        {
            _run.Silent("worker-0", 5);
            Assert.Contains("admit worker-0#5", _run.Heard("worker-0", 5));
        }
        _run.Silent("worker-0", 5);
        Assert.Contains("slowly", Assert.Single(_run.Heard("worker-0", 5)), StringComparison.Ordinal);
        Assert.Equal("admit worker-0#5", _run.At(1).Tick()[0]);
    }

    [Fact]
    public void After_a_takeover_names_wait_for_those_who_had_them()
    {
        var next = new MemberTableDriver("worker-0", "worker-1", "ps-0", "nonsense");
        Assert.Equal("named worker-2#9", next.Hello(null, 9)[0]);
        Assert.Contains("admit worker-0#5", next.Hello("worker-0", 5));
        Assert.Equal("named worker-3#10", next.At(9.9).Hello(null, 10)[0]);
        Assert.Equal("named worker-1#11", next.At(10).Hello(null, 11)[0]);
    }

    [Theory]
    [InlineData("worker-00", 1, MemberRole.Worker)]
    [InlineData("worker--1", 1, MemberRole.Worker)]
    [InlineData("worker-1024", 1, MemberRole.Worker)]
    [InlineData("worker-0", 1, MemberRole.ParameterServer)]
    [InlineData("coordinator", 1, MemberRole.Worker)]
    [InlineData("", 1, MemberRole.Worker)]
    [InlineData("worker-0", 0, MemberRole.Worker)]
    [InlineData("coordinator", 1, MemberRole.Coordinator)]
    [InlineData(null, 1, (MemberRole)77)]
    public void Impossible_hello_is_refused_and_leaves_no_trace(string? name, long incarnation, MemberRole role)
    {
        Assert.StartsWith("refuse: ", Assert.Single(_run.Hello(name, incarnation, role)), StringComparison.Ordinal);
        Assert.Empty(_run.Table.Slots);
    }

    [Fact]
    public void More_nodes_than_a_run_may_have_are_refused()
    {
        for (var i = 1; i <= Limits.MaxShards; i++) _run.Hello(null, i, MemberRole.ParameterServer);
        Assert.StartsWith("refuse for now: all 256 places", _run.Hello(null, 1000, MemberRole.ParameterServer)[0], StringComparison.Ordinal);
    }
}
