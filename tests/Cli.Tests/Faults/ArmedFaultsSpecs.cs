using Cluster.Chaos;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Faults;

/// <summary>When a fault inside a process arises, and when it is over.</summary>
public sealed class ArmedFaultsSpecs
{
    private static readonly StepId Three = new(3), Four = new(4), Nine = new(9);

    private static ArmedFaults Armed(params string[] faults) => ArmedFaults.Of(faults.Select(static f => FaultSpec.Parse(f, [f.Split(':')[1].Split('@')[0]], 100)));

    [Fact]
    public void Fault_waits_for_its_step_and_arises_once()
    {
        var (before, none) = Armed("nan:worker-0@4").Take(FaultKind.NotANumber, Three);
        Assert.Null(none);
        var (after, due) = before.Take(FaultKind.NotANumber, Four);
        Assert.Equal("nan:worker-0@4", $"{due}");
        Assert.Null(after.Take(FaultKind.NotANumber, Nine).Due);
        Assert.False(after.Has(FaultKind.NotANumber));
    }

    [Fact]
    public void Fault_of_a_step_that_the_node_missed_arises_in_the_next_that_it_takes_part_in() =>
        Assert.Equal("lie:worker-0@4", $"{Armed("lie:worker-0@4").Take(FaultKind.Lie, Nine).Due}");

    [Fact]
    public void Fault_that_lasts_is_in_force_for_its_time_and_then_over_once()
    {
        var (armed, found) = Armed("slow:worker-0@4+2").Look(FaultKind.Slow, Four, Seconds(10));
        Assert.True(found.Begun);
        (armed, found) = armed.Look(FaultKind.Slow, Nine, Seconds(11.9));
        Assert.Equal(("slow:worker-0@4+2", false, null), ($"{found.Active}", found.Begun, found.Ended));
        (armed, found) = armed.Look(FaultKind.Slow, Nine, Seconds(12));
        Assert.Equal((null, "slow:worker-0@4+2"), (found.Active, $"{found.Ended}"));
        Assert.Equal(default, armed.Look(FaultKind.Slow, Nine, Seconds(13)).Found);
    }

    [Fact]
    public void Second_fault_of_a_kind_waits_until_the_first_is_over()
    {
        var (armed, first) = Armed("slow:worker-0@4+2", "slow:worker-0@5+3").Look(FaultKind.Slow, Nine, Seconds(0));
        Assert.Equal("slow:worker-0@4+2", $"{first.Active}");
        Assert.Equal("slow:worker-0@4+2", $"{armed.Look(FaultKind.Slow, Nine, Seconds(1)).Found.Active}");
        var (_, second) = armed.Look(FaultKind.Slow, Nine, Seconds(2));
        Assert.Equal(("slow:worker-0@5+3", true, "slow:worker-0@4+2"), ($"{second.Active}", second.Begun, $"{second.Ended}"));
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
