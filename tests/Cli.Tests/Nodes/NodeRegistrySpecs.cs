using Cluster.Cli.Configuration;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Link;

namespace Cluster.Cli.Tests.Nodes;

/// <summary>Who does not fit is told why, and so is whoever reads events.jsonl.</summary>
[Trait("Clock", "wall")]
public sealed class NodeRegistrySpecs : IDisposable
{
    private readonly Door _door = new();

    public void Dispose() => _door.Dispose();

    [Fact]
    public void Node_that_fits_is_welcomed_under_its_name_and_takes_part_when_it_is_ready()
    {
        var worker = _door.Dial(NodeOptions.Worker, "worker-1").Join();
        var welcome = worker.Hear<Welcome>();
        Assert.Equal((Door.RunId, "worker-1", 10L), (welcome.RunId, welcome.Name, welcome.TotalSteps));
        Assert.Empty(_door.Told);
        worker.Ready();
        Assert.Equal(new WorkerId(1), _door.NextTold<CoordinatorActor.WorkerAt>().Worker);
    }

    [Fact]
    public void Node_of_another_version_is_refused_with_both_versions() =>
        Refused(() => _door.Dial(NodeOptions.Worker, "worker-1", version: "9.9"), "worker-1", $"the run has version {ProgramVersion.Text} of this program and the node 9.9: install {ProgramVersion.Text} on the node");

    [Fact]
    public void Node_of_an_unknown_role_is_refused() =>
        Refused(() => _door.Dial("spectator", "worker-1"), "worker-1", "there is no role 'spectator': a node is a worker or ps");

    [Fact]
    public void Node_with_another_secret_is_refused() =>
        Refused(() => _door.Dial(NodeOptions.Worker, "worker-1", secret: "a guess"), "worker-1", "the join secret of worker-1 differs");

    [Fact]
    public void Node_of_another_run_is_refused_with_both_run_ids() =>
        Refused(() => _door.Dial(NodeOptions.Worker, "worker-1", runId: "run-2"), "worker-1", "worker-1 belongs to run 'run-2', but coordinator runs 'run-1'");

    [Fact]
    public void Node_that_sends_what_its_role_may_not_is_sent_away_with_the_reason_on_both_sides_and_nothing_is_done()
    {
        var worker = _door.Dial(NodeOptions.Worker, "worker-0").Join();
        worker.Hear<Welcome>();
        worker.Ready();
        _door.NextTold<CoordinatorActor.WorkerAt>();
        worker.Send(new TermRefused(new Term(1), new Term(99), new ReplicaId(new ShardId(0), new NodeId(0, 1))));
        const string Reason = "worker-0 sent TermRefused, which a worker may not send to a coordinator";
        Assert.Equal(Reason, worker.SentAway());
        Assert.Equal(("worker-0", $"{Reason}: its link is closed."), _door.Next(NodeRegistry.RefusedMessage));
        Assert.IsType<CoordinatorActor.WorkerGone>(_door.NextTold<object>());
        Assert.Empty(_door.Told);
    }

    [Fact]
    public void Supervisor_speaks_of_processes_and_faults_alone()
    {
        var supervisor = _door.Dial(NodeOptions.Supervisor, NodeOptions.Supervisor).Tell("process", "worker-0", "worker-0 ended");
        Assert.Equal(("worker-0", "worker-0 ended"), _door.Next("process"));
        supervisor.Ready();
        Assert.Contains("supervisor sent NodeReady, which a supervisor may not send to a coordinator", supervisor.SentAway());
    }

    [Theory]
    [InlineData("other", null, "bits", "its data set is another one (fingerprint other, the run's is data): give it the same files with --data")]
    [InlineData("data", "other", "bits", "its model has other parameters (layout other, the run's is ")]
    [InlineData("data", null, "other", "its arithmetic gives other bits (fingerprint other of AVX2, 1 thread; the run's is bits): libraries, threads and device must be the same")]
    public void Worker_with_other_data_model_or_arithmetic_is_sent_away(string data, string? layout, string numbers, string reason)
    {
        _door.Dial(NodeOptions.Worker, "worker-0").Join().Ready();
        _door.NextTold<CoordinatorActor.WorkerAt>();
        var worker = _door.Dial(NodeOptions.Worker, "worker-1").Join();
        worker.Hear<Welcome>();
        worker.Ready(data, layout, numbers);
        Assert.StartsWith(reason, worker.SentAway());
        var (node, sentence) = _door.NextRefusal();
        Assert.Equal("worker-1", node);
        Assert.StartsWith($"worker-1 was not let in: {reason}", sentence);
        Assert.Empty(_door.Told);
    }

    [Fact]
    public void Arithmetic_of_a_run_that_goes_on_binds_the_first_worker_too()
    {
        using var door = new Door("bits");
        var worker = door.Dial(NodeOptions.Worker, "worker-0").Join();
        worker.Hear<Welcome>();
        worker.Ready(numbers: "other");
        Assert.StartsWith("its arithmetic gives other bits", worker.SentAway());
    }

    [Fact]
    public void Shard_holder_needs_neither_data_nor_arithmetic()
    {
        var ps = _door.Dial(NodeOptions.Shards, "ps-1").Join();
        Assert.Equal(Door.Layout.Hash, ps.Hear<RunLayout>().ToLayout().Hash);
        ps.Ready(data: "", numbers: "");
        Assert.Equal((1, 2), (_door.NextTold<CoordinatorActor.NodeAt>() is var at ? at.Node.Index : -1, at.Slots.Count));
    }

    [Theory]
    [InlineData("ps-2")]
    [InlineData("ps-255")]
    public void Shard_holder_beyond_the_runs_shards_is_sent_away(string name)
    {
        var reason = $"{name} has no place: this run has 2 parameter shards, on ps-0 to ps-1";
        Assert.Equal(reason, _door.Dial(NodeOptions.Shards, name).Join().SentAway());
        Assert.Equal((name, $"{name} was not let in: {reason}"), _door.NextRefusal());
    }

    [Fact]
    public void Shard_holder_without_a_name_is_sent_away_when_all_places_are_taken()
    {
        foreach (var expected in (string[])["ps-0", "ps-1"]) Assert.Equal(expected, _door.Dial(NodeOptions.Shards).Join().Hear<Welcome>().Name);
        Assert.StartsWith("ps-2 has no place", _door.Dial(NodeOptions.Shards).Join().SentAway());
    }

    [Fact]
    public void Second_process_of_a_name_is_told_that_the_first_one_lives_and_may_try_again()
    {
        var first = _door.Dial(NodeOptions.Worker, "worker-0").Join();
        first.Hear<Welcome>();
        var refusal = _door.Dial(NodeOptions.Worker, "worker-0", incarnation: 2).Join().Hear<MemberRefusal>();
        Assert.True(refusal.TryAgain);
        Assert.StartsWith("worker-0 is taken by a living process", refusal.Sentence);
        var (node, sentence) = _door.NextRefusal();
        Assert.Equal("worker-0", node);
        Assert.StartsWith("worker-0 was not let in: worker-0 is taken by a living process", sentence);
        Assert.False(first.IsClosed);
    }

    [Fact]
    public void Process_that_is_back_before_its_old_link_has_ended_asks_again_and_is_nobodys_mistake()
    {
        _door.Dial(NodeOptions.Worker).Join().Hear<Welcome>();
        var refusal = _door.Dial(NodeOptions.Worker, "worker-0").Join(incarnation: 2).Hear<MemberRefusal>();
        Assert.True(refusal.TryAgain);
        _door.Dial(NodeOptions.Worker, "worker-0", incarnation: 3).Join().Hear<MemberRefusal>();
        Assert.Contains("(incarnation 1)", _door.NextRefusal().Sentence);
        Assert.DoesNotContain(_door.Said, static said => said.Kind == "node-refused");
    }

    [Fact]
    public async Task Node_that_comes_when_the_run_is_over_hears_so_and_made_no_mistake()
    {
        await _door.Registry.EndAsync(isFailure: false, "the run is done", Door.Patience);
        Assert.Equal(new RunOver(false, "the run is done"), _door.Dial(NodeOptions.Worker, "worker-0").Hear<RunOver>());
        Assert.DoesNotContain(_door.Said, static said => said.Kind == "node-refused");
    }

    [Fact]
    public async Task End_waits_until_all_have_heard_it_and_is_no_loss_of_anybody()
    {
        var worker = _door.Dial(NodeOptions.Worker, "worker-0").Join();
        worker.Hear<Welcome>();
        await _door.Registry.EndAsync(isFailure: true, "the disk is gone", Door.Patience);
        Assert.Equal(new RunOver(true, "the disk is gone"), worker.Hear<RunOver>());
        Assert.DoesNotContain(_door.Said, static said => said.Sentence.Contains("is lost", StringComparison.Ordinal));
    }

    [Fact]
    public void Supervisor_that_comes_late_hears_of_the_step_that_is_open()
    {
        _door.Registry.Notice(new StepId(7), isRecorded: false);
        Assert.Equal(new StepNotice(new StepId(7), false), _door.Dial(NodeOptions.Supervisor, NodeOptions.Supervisor).Hear<StepNotice>());
    }

    [Fact]
    public async Task Crowd_at_the_door_is_counted_and_a_name_that_is_none_is_not_repeated()
    {
        for (var i = 0; i < 30; i++) Assert.Throws<LinkRefusedException>(() => _door.Dial(NodeOptions.Worker, $"guest {i}", secret: "a guess"));
        for (var i = 0; i < Limits.ToldRefusals; i++)
        {
            var (node, sentence) = _door.NextRefusal();
            Assert.Equal("unknown", node);
            Assert.StartsWith("Somebody was not let in: ", sentence);
        }
        await _door.Registry.EndAsync(isFailure: false, "the run is done", Door.Patience);
        Assert.Equal(("unknown", "20 more were not let in."), _door.NextRefusal());
    }

    [Fact]
    public void Control_characters_of_a_guest_do_not_reach_the_terminal()
    {
        Assert.Throws<LinkRefusedException>(() => _door.Dial(NodeOptions.Worker, "worker-0", version: "\e[31m9\r\n"));
        Assert.Contains("and the node  [31m9  : install", _door.NextRefusal().Sentence);
    }

    private void Refused(Action dial, string node, string reason)
    {
        Assert.Contains(reason, Assert.Throws<LinkRefusedException>(dial).Message);
        var (name, sentence) = _door.NextRefusal();
        Assert.Equal(node, name);
        Assert.Contains(reason, sentence);
        Assert.Empty(_door.Told);
    }

    [Fact]
    public void Node_tells_events_of_itself_alone_in_words_of_a_closed_set_and_within_bounds()
    {
        var worker = _door.Dial(NodeOptions.Worker, "worker-1").Join();
        worker.Hear<Welcome>();
        worker.Tell("finished", "coordinator", "the run is done").Tell("process-ended", "ps-0", "ps-0 ended").Tell("fault", "ps-0", "a line\nand " + new string('x', 2_000));
        var (node, sentence) = _door.Next("fault");
        Assert.Equal("worker-1", node);
        Assert.StartsWith("a line and xxx", sentence);
        Assert.Equal(Limits.MaxMemberText, sentence.Length);
        for (var i = 0; i < Limits.ToldNodeNews + 50; i++) worker.Tell("fault", "worker-1", $"fault {i}");
        worker.Ready();
        _door.NextTold<CoordinatorActor.WorkerAt>();
        // One has been told above.
        Assert.Equal(Limits.ToldNodeNews - 1, _door.Said.Count(static said => said.Kind == "fault"));
        Assert.DoesNotContain(_door.Said, static said => said.Kind is "finished" or "process-ended");
    }
}
