using Cluster.Chaos;
using Cluster.Cli.Launch;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Faults;

/// <summary>Which faults a process is started with.</summary>
public sealed class InsideFaultsSpecs
{
    private static readonly string[] Nodes = ["coordinator", "ps-0", "worker-0", "worker-1"];

    private readonly InsideFaults _faults = new(new[] { "nan:worker-0@4", "hang:worker-0@9+3", "slow:worker-1@4", "kill:worker-0@4", "disk-full:coordinator@5+1" }.Select(Fault));

    [Fact]
    public void Every_node_gets_its_own_faults_and_none_that_come_from_outside()
    {
        Assert.Equal("nan:worker-0@4;hang:worker-0@9+3", Handed("worker-0"));
        Assert.Equal("slow:worker-1@4+5", Handed("worker-1"));
        Assert.Equal("disk-full:coordinator@5+1", Handed("coordinator"));
        Assert.Null(Handed("ps-0"));
    }

    [Fact]
    public void Process_that_is_started_again_gets_only_faults_of_steps_that_have_not_begun()
    {
        _faults.Begun(new StepId(4));
        Assert.Equal("hang:worker-0@9+3", Handed("worker-0"));
        Assert.Null(Handed("worker-1"));
        // A coordinator that took over begins a step again.
        _faults.Begun(new StepId(3));
        Assert.Null(Handed("worker-1"));
    }

    [Fact]
    public void Fault_of_the_next_start_is_handed_out_once()
    {
        _faults.Begun(new StepId(4));
        _faults.AtNextStart(Fault("skew:worker-0@4"));
        Assert.Null(Handed("worker-1"));
        Assert.Equal("hang:worker-0@9+3;skew:worker-0@4", Handed("worker-0"));
        Assert.Equal("hang:worker-0@9+3", Handed("worker-0"));
    }

    private static FaultSpec Fault(string text) => FaultSpec.Parse(text, Nodes, 100);

    private string? Handed(string node) => Assert.Single(_faults.EnvironmentOf(node), static v => v.Key == NodeFaults.Variable).Value;
}
