using Cluster.Contracts;

namespace Cluster.Membership.Tests;

/// <summary>What every membership engine promises. A subclass brings the engine's own world.</summary>
public abstract class MembershipContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Without a coordinator yet.</summary>
    protected abstract IMembershipWorld CreateWorld();

    [Fact]
    public async Task Joining_nodes_get_the_lowest_free_names_and_everybody_sees_everybody()
    {
        await using var world = await StartedAsync();
        var first = await world.StartAsync(MemberRole.Worker);
        await world.Coordinator.MembersAsync("worker-0");
        var second = await world.StartAsync(MemberRole.Worker);
        await world.Coordinator.MembersAsync("worker-0 worker-1");
        var shard = await world.StartAsync(MemberRole.ParameterServer);
        foreach (var views in (ViewRecorder[])[world.Coordinator, first.Views, second.Views, shard.Views])
        {
            var view = await views.MembersAsync("ps-0 worker-0 worker-1");
            Assert.Equal("coordinator", view.Coordinator?.Name);
            Assert.Equal([0, 0, 1], view.Members.Select(member => member.Index));
            Assert.Equal([shard.Incarnation, first.Incarnation, second.Incarnation], view.Members.Select(member => member.Incarnation));
        }
        Assert.Equal("worker-1", second.Name);
    }

    [Fact]
    public async Task Views_come_one_at_a_time_in_order_each_with_its_reason()
    {
        await using var world = await StartedAsync();
        var watcher = await world.StartAsync(MemberRole.Worker);
        await watcher.Views.MembersAsync("worker-0");
        for (var i = 0; i < 5; i++)
        {
            // Named, as a supervisor starts it again: until the last one is known to be dead its name is not free.
            var other = await world.StartAsync(MemberRole.ParameterServer, "ps-0");
            await watcher.Views.MembersAsync("ps-0 worker-0");
            await world.CrashAsync(other);
            await watcher.Views.MembersAsync("worker-0");
        }
        foreach (var recorder in (ViewRecorder[])[world.Coordinator, watcher.Views])
        {
            var numbers = recorder.Views.Select(view => view.Number).ToList();
            Assert.Equal(numbers.Order().Distinct(), numbers);
            Assert.All(recorder.Views, view => Assert.NotEmpty(view.Reason));
            Assert.False(recorder.Overlapped);
        }
    }

    [Fact]
    public async Task Planned_leave_is_seen_by_all_before_the_node_goes()
    {
        await using var world = await StartedAsync();
        var (stays, leaves) = await TwoWorkersAsync(world);
        await world.LeaveAsync(leaves);
        foreach (var views in (ViewRecorder[])[world.Coordinator, stays.Views, leaves.Views]) await views.MembersAsync("worker-0 worker-1-");
        await world.EndAsync(leaves);
        var view = await stays.Views.MembersAsync("worker-0");
        Assert.Contains("worker-1", view.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("lost", view.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Crashed_node_leaves_the_view_and_its_successor_has_its_name_and_a_higher_incarnation()
    {
        await using var world = await StartedAsync();
        var (stays, crashes) = await TwoWorkersAsync(world);
        await world.CrashAsync(crashes);
        var view = await stays.Views.MembersAsync("worker-0");
        Assert.Contains("worker-1", view.Reason, StringComparison.Ordinal);
        var successor = await world.StartAsync(MemberRole.Worker, "worker-1");
        view = await stays.Views.MembersAsync("worker-0 worker-1");
        Assert.Equal(successor.Incarnation, view.Members[1].Incarnation);
        Assert.True(successor.Incarnation > crashes.Incarnation);
    }

    [Fact]
    public async Task Paused_node_leaves_the_view_and_comes_back_as_it_was()
    {
        await using var world = await StartedAsync();
        var (stays, pauses) = await TwoWorkersAsync(world);
        await world.PauseAsync(pauses);
        var view = await stays.Views.MembersAsync("worker-0");
        Assert.Contains("worker-1 is silent", view.Reason, StringComparison.Ordinal);
        await world.ResumeAsync(pauses);
        view = await stays.Views.MembersAsync("worker-0 worker-1");
        Assert.Equal(pauses.Incarnation, view.Members[1].Incarnation);

        // It does not go on with what it knew when it fell asleep.
        await pauses.Views.AwaitAsync(known => known.Number >= view.Number);
    }

    [Fact]
    public async Task Paused_node_whose_place_was_taken_is_told_so_and_stays_out()
    {
        await using var world = await StartedAsync();
        var (stays, zombie) = await TwoWorkersAsync(world);
        await world.PauseAsync(zombie);
        await stays.Views.MembersAsync("worker-0");
        var successor = await world.StartAsync(MemberRole.Worker, "worker-1");
        var view = await stays.Views.MembersAsync("worker-0 worker-1");
        Assert.Equal(successor.Incarnation, view.Members[1].Incarnation);
        await world.ResumeAsync(zombie);
        Assert.Contains("worker-1", (await zombie.Refused.WaitAsync(Patience)).Sentence, StringComparison.Ordinal);
        await world.CrashAsync(zombie);

        // Whatever its end brought about would be seen before this newcomer.
        await world.StartAsync(MemberRole.Worker, "worker-2");
        view = await stays.Views.MembersAsync("worker-0 worker-1 worker-2");
        Assert.Equal(successor.Incarnation, view.Members[1].Incarnation);
        Assert.False(successor.Refused.IsCompleted);
    }

    [Fact]
    public async Task Second_node_of_a_living_ones_name_is_refused_and_the_first_does_not_notice()
    {
        await using var world = await StartedAsync();
        var (first, _) = await TwoWorkersAsync(world);
        var before = first.Views.Views.Count;
        var second = await world.StartAsync(MemberRole.Worker, "worker-0");
        var refusal = await second.Refused.WaitAsync(Patience);
        Assert.Contains("worker-0 is taken", refusal.Sentence, StringComparison.Ordinal);
        await world.CrashAsync(second);
        await world.StartAsync(MemberRole.Worker, "worker-5");
        var view = await first.Views.MembersAsync("worker-0 worker-1 worker-5");
        Assert.Equal(first.Incarnation, view.Members[0].Incarnation);
        Assert.Equal(before + 1, first.Views.Views.Count);
        Assert.False(first.Refused.IsCompleted);
    }

    [Fact]
    public async Task Flapping_node_is_let_in_more_slowly_which_is_said_once_and_hinders_nobody_else()
    {
        await using var world = await StartedAsync();
        var steady = await world.StartAsync(MemberRole.Worker, "worker-0");
        await steady.Views.MembersAsync("worker-0");
        for (var i = 0; i < Limits.FreeJoins; i++)
        {
            var node = await world.StartAsync(MemberRole.Worker, "worker-1");
            await steady.Views.MembersAsync("worker-0 worker-1");
            await world.CrashAsync(node);
            await steady.Views.MembersAsync("worker-0");
        }
        for (var i = 0; i < 2; i++)
        {
            var held = await world.StartAsync(MemberRole.Worker, "worker-1");
            var other = await world.StartAsync(MemberRole.Worker, $"worker-{2 + i}");
            var view = await steady.Views.AwaitAsync(seen => seen.Members.Any(member => member.Incarnation == other.Incarnation));
            Assert.DoesNotContain(view.Members, member => member.Name == "worker-1");
            await world.PassAsync(world.Policy.FirstHoldOff * (1 << i));
            await held.Views.AwaitAsync(seen => seen.Members.Any(member => member.Incarnation == held.Incarnation));
            await world.CrashAsync(held);
            await steady.Views.AwaitAsync(seen => seen.Members.All(member => member.Name != "worker-1"));
        }
        Assert.Single(world.Said, sentence => sentence.StartsWith("worker-1", StringComparison.Ordinal) && sentence.Contains("slowly", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Full_restart_brings_the_same_names_with_new_incarnations()
    {
        await using var world = await StartedAsync();
        var (first, second) = await TwoWorkersAsync(world);
        var before = await world.Coordinator.MembersAsync("worker-0 worker-1");
        await world.CrashCoordinatorAsync();
        await world.CrashAsync(first);
        await world.CrashAsync(second);
        await world.StartCoordinatorAsync();
        await world.StartAsync(MemberRole.Worker, "worker-1");
        await world.StartAsync(MemberRole.Worker, "worker-0");
        var after = await world.Coordinator.MembersAsync("worker-0 worker-1");
        Assert.True(after.TermCandidate > before.TermCandidate);
        Assert.True(after.Coordinator!.Incarnation > before.Coordinator!.Incarnation);
        foreach (var (old, young) in before.Members.Zip(after.Members)) Assert.True(young.Incarnation > old.Incarnation);
    }

    [Fact]
    public async Task Coordinator_that_is_started_again_in_place_finds_every_node_as_it_was()
    {
        await using var world = await StartedAsync();
        var (first, second) = await TwoWorkersAsync(world);
        var before = await first.Views.MembersAsync("worker-0 worker-1");
        await world.CrashCoordinatorAsync();
        foreach (var node in (IMembershipNode[])[first, second])
        {
            var alone = await node.Views.AwaitAsync(view => view.Coordinator is null);
            Assert.Equal("worker-0 worker-1", ViewRecorder.Short(alone));
        }
        await world.StartCoordinatorAsync();
        foreach (var node in (IMembershipNode[])[first, second])
        {
            var after = await node.Views.AwaitAsync(view => view.TermCandidate > before.TermCandidate && view.Members.Count == 2);
            Assert.NotNull(after.Coordinator);
            Assert.Equal(before.Members.Select(member => (member.Name, member.Incarnation)), after.Members.Select(member => (member.Name, member.Incarnation)));
            Assert.False(node.Refused.IsCompleted);
        }
    }

    private async Task<IMembershipWorld> StartedAsync()
    {
        var world = CreateWorld();
        await world.StartCoordinatorAsync();
        return world;
    }

    private static async Task<(IMembershipNode First, IMembershipNode Second)> TwoWorkersAsync(IMembershipWorld world)
    {
        var first = await world.StartAsync(MemberRole.Worker);
        await first.Views.MembersAsync("worker-0");
        var second = await world.StartAsync(MemberRole.Worker);
        await first.Views.MembersAsync("worker-0 worker-1");
        await second.Views.MembersAsync("worker-0 worker-1");
        return (first, second);
    }
}
