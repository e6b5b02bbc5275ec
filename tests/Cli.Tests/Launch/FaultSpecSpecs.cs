using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Launch;

public sealed class FaultSpecSpecs
{
    private static readonly string[] Nodes = ["coordinator", "ps-0", "worker-0", "worker-1"];

    [Theory]
    [InlineData("kill:worker-1@10", FaultKind.Kill, "worker-1", 10, 0)]
    [InlineData("kill:coordinator@1", FaultKind.Kill, "coordinator", 1, 0)]
    [InlineData("stop:ps-0@40", FaultKind.Stop, "ps-0", 40, 5)]
    [InlineData("stop:worker-0@20+2.5", FaultKind.Stop, "worker-0", 20, 2.5)]
    [InlineData("slow:worker-0@20+2.5,factor=4", FaultKind.Slow, "worker-0", 20, 2.5, "factor", 4)]
    [InlineData("delay:ps-0@2,ms=7.5", FaultKind.Delay, "ps-0", 2, 5, "ms", 7.5)]
    [InlineData("join:worker-9@2", FaultKind.Join, "worker-9", 2, 0)]
    public void Fault_is_read_and_written_in_the_same_form(string text, FaultKind kind, string node, int step, double seconds, string? setting = null, double value = 0)
    {
        var fault = FaultSpec.Parse(text, Nodes, 40);
        var expected = new FaultSpec(kind, node, new StepId(step), TimeSpan.FromSeconds(seconds));
        if (setting is not null) expected = expected with { Settings = expected.Settings.SetItem(setting, value) };
        Assert.Equal(expected, fault);
        Assert.Equal(fault, FaultSpec.Parse(fault.ToString(), Nodes, 40));
    }

    [Theory]
    [InlineData("", "write KIND:NODE@STEP[+SECONDS]")]
    [InlineData("kill", "write KIND:NODE@STEP[+SECONDS]")]
    [InlineData("kill:worker-1", "write KIND:NODE@STEP[+SECONDS]")]
    [InlineData("kill:@3", "write KIND:NODE@STEP[+SECONDS]")]
    [InlineData(":worker-1@3", "write KIND:NODE@STEP[+SECONDS]")]
    [InlineData("kil:worker-1@3", "unknown kind 'kil'; did you mean kill?")]
    [InlineData("KILL:worker-1@3", "unknown kind 'KILL'")]
    [InlineData("kill:worker-7@3", "this run has no node 'worker-7'")]
    [InlineData("kill:worker-1@0", "step 0 is not in this run of 40 steps; give one from 1 to 40")]
    [InlineData("kill:worker-1@41", "step 41 is not in this run of 40 steps")]
    [InlineData("kill:worker-1@99999999999999999999", "is no step")]
    [InlineData("kill:worker-1@-3", "'-3' is no step")]
    [InlineData("kill:worker-1@3+2", "a kill lasts no time; leave +SECONDS out")]
    [InlineData("stop:worker-1@3+", "'' is no number of seconds")]
    [InlineData("stop:worker-1@3+0", "'0' is no number of seconds")]
    [InlineData("stop:worker-1@3+3601", "at most 3600")]
    [InlineData("stop:worker-1@3+NaN", "'NaN' is no number of seconds")]
    [InlineData("nan:ps-0@3", "nan strikes worker nodes, ps-0 is none")]
    [InlineData("zombie:worker-0@3", "zombie strikes coordinator nodes")]
    [InlineData("join:worker-1@3", "worker-1 is in the run from the start")]
    [InlineData("join:ps-7@3", "is no worker; give worker-N")]
    [InlineData("slow:worker-1@3,speed=2", "slow has no setting 'speed'; known: factor")]
    [InlineData("slow:worker-1@3,factor=0", "factor is a number from 1 to 1000")]
    [InlineData("slow:worker-1@3,factor", "factor is a number from 1 to 1000")]
    [InlineData("kill:worker-1@3,factor=2", "kill has no settings")]
    public void Mistake_is_named_in_one_line_with_the_text_that_holds_it(string text, string words)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => FaultSpec.Parse(text, Nodes, 40));
        Assert.StartsWith($"--fault {text}: ", mistake.Message, StringComparison.Ordinal);
        Assert.Contains(words, mistake.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', mistake.Message);
    }
}
