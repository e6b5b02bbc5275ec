using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation.Tests;

public sealed class SimulationSpecs
{
    [Fact]
    public void Undisturbed_run_of_five_steps_has_the_bits_of_the_reference()
    {
        var result = SeedRun.Run(new Scenario(1, Workers: 3, Shards: 2, Microbatches: 8, Replicas: 0, Steps: 5, CheckpointEvery: 2, NonFinitePolicy.Recompute, IsDisturbed: false));
        Assert.Null(result.Violation);
        Assert.Equal(5, result.Counts["steps committed"]);
        Assert.Equal(1, result.Term);
    }
}
