using System.Collections.Immutable;
using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Launch;

public sealed class FaultScheduleSpecs
{
    private static readonly string[] Nodes = ["worker-1", "worker-2"];

    private FaultSchedule _schedule = FaultSchedule.Of(new[] { "kill:worker-1@10", "stop:worker-2@20+3", "kill:worker-2@10" }.Select(text => FaultSpec.Parse(text, Nodes, 40)));

    [Fact]
    public void Fault_strikes_after_BeginStep_of_its_step_and_holds_its_record_until_it_is_done()
    {
        Assert.Empty(Do(_schedule.Begun(new StepId(9))));
        Assert.False(_schedule.Holds(new StepId(9)));
        Assert.Empty(Do(_schedule.Recorded(new StepId(9))));
        Assert.True(_schedule.Holds(new StepId(10)));
        Assert.Equal(["strike 0", "strike 2"], Do(_schedule.Begun(new StepId(10))));
        Assert.Equal(["fault kill:worker-1@10: worker-1 was killed in step 10"], Do(_schedule.Struck(0, hit: true, TimeSpan.Zero)));
        Assert.True(_schedule.Holds(new StepId(10)));
        Do(_schedule.Struck(2, hit: true, TimeSpan.Zero));
        Assert.False(_schedule.Holds(new StepId(10)));
    }

    [Fact]
    public void Second_attempt_at_a_step_is_not_struck_again()
    {
        Do(_schedule.Begun(new StepId(10)));
        Assert.Empty(Do(_schedule.Begun(new StepId(10))));
        Do(_schedule.Struck(0, hit: true, TimeSpan.Zero));
        Assert.Empty(Do(_schedule.Begun(new StepId(10))));
    }

    [Fact]
    public void Stopped_node_goes_on_after_its_time_and_once()
    {
        Do(_schedule.Begun(new StepId(10)));
        Do(_schedule.Begun(new StepId(20)));
        Assert.Equal(TimeSpan.MaxValue, _schedule.NextEnd);
        Assert.Equal(["fault stop:worker-2@20+3: worker-2 was stopped in step 20 for 3 s"], Do(_schedule.Struck(1, hit: true, TimeSpan.FromSeconds(7))));
        Assert.False(_schedule.Holds(new StepId(20)));
        Assert.Equal(TimeSpan.FromSeconds(10), _schedule.NextEnd);
        Assert.Empty(Do(_schedule.Tick(TimeSpan.FromSeconds(9.99))));
        Assert.Equal(["end 1"], Do(_schedule.Tick(TimeSpan.FromSeconds(10))));
        Assert.Empty(Do(_schedule.Tick(TimeSpan.FromSeconds(11))));
    }

    [Fact]
    public void Fault_whose_node_does_not_run_is_said_to_have_missed()
    {
        Do(_schedule.Begun(new StepId(10)));
        Assert.Equal(["fault kill:worker-1@10 missed: worker-1 was not running"], Do(_schedule.Struck(0, hit: false, TimeSpan.Zero)));
    }

    [Fact]
    public void Fault_of_a_step_that_the_run_never_reached_is_said_to_have_missed_at_its_end()
    {
        Do(_schedule.Begun(new StepId(11)));
        Assert.Equal(["fault stop:worker-2@20+3 missed: the run ended before it could strike"], Do(_schedule.Ended()));
        Assert.Empty(Do(_schedule.Ended()));
    }

    [Fact]
    public void Fault_of_a_step_that_the_run_has_passed_is_said_to_have_missed_once()
    {
        Assert.Equal(["fault kill:worker-1@10 missed: the run is at step 11 already", "fault kill:worker-2@10 missed: the run is at step 11 already"], Do(_schedule.Begun(new StepId(11))));
        Assert.Empty(Do(_schedule.Begun(new StepId(12))));
        Assert.Equal(["fault stop:worker-2@20+3 missed: step 20 was committed before it could strike"], Do(_schedule.Recorded(new StepId(20))));
        Assert.Empty(Do(_schedule.Begun(new StepId(20))));
    }

    private List<string> Do((FaultSchedule Next, ImmutableArray<FaultEffect> Effects) decision)
    {
        _schedule = decision.Next;
        return [.. decision.Effects.Select(effect => effect switch
        {
            FaultEffect.Strike => $"strike {effect.Fault}",
            FaultEffect.End => $"end {effect.Fault}",
            FaultEffect.Say say => say.Sentence,
            _ => throw new InvalidOperationException($"{effect}"),
        })];
    }
}
