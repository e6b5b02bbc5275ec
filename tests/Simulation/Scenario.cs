using Cluster.Chaos;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>One simulated run: what a user would have asked for. A pure function of the seed.</summary>
/// <param name="Workers">W.</param>
/// <param name="Shards">P; as many processes hold them.</param>
/// <param name="Microbatches">K.</param>
/// <param name="Replicas">Standbys per shard.</param>
/// <param name="CheckpointEvery">Steps between checkpoints; 0 = none.</param>
/// <param name="AuditEvery">Steps between audited ones; 0 = none is.</param>
/// <param name="IsDisturbed">Faults are drawn.</param>
public sealed record Scenario(
    ulong Seed, int Workers, int Shards, int Microbatches, int Replicas, int Steps, int CheckpointEvery, NonFinitePolicy NonFinite, int AuditEvery, bool IsDisturbed)
{
    /// <summary>Samples of a leaf of a whole step.</summary>
    public const int LeafSamples = 4;

    /// <summary>Two processes with shards share a machine, so that places with and without a choice come up.</summary>
    public static string HostOf(NodeId node) => $"host-{node.Index / 2}";

    private const long MostSteps = 1_000;

    /// <summary>Clipping by the global norm, by each parameter's, and a rate for each tensor: what the decision about a step is made of.</summary>
    public static IReadOnlyList<OptimizerOptions> Rules { get; } =
        [new() { ClipNorm = 40 }, new() { ClipParameterNorm = 5 }, new() { Kind = "lars", TrustCoefficient = 0.5, ClipNorm = 40 }];

    public OptimizerOptions Rule { get; init; } = Rules[0];

    /// <summary>Faults that strike in given steps, beside those that are drawn.</summary>
    public FaultPlan? Faults { get; init; }

    /// <summary>Some samples cannot be decoded.</summary>
    public bool IsDamaged { get; init; }

    public int GlobalBatch => LeafSamples * Microbatches;

    /// <summary>Two whole steps and a short one per epoch.</summary>
    public int TrainingSamples => 2 * GlobalBatch + Math.Max(1, GlobalBatch / 3);

    /// <summary>A run under a plan: the seed draws only how long everything takes.</summary>
    /// <exception cref="UserMistakeException">More processes than the simulator has room for.</exception>
    public static Scenario Of(FaultPlan plan, RunShape run, ulong seed, int microbatches, long auditEvery)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(run);
        if (run.Shards > SimulationEndpoints.MaxShards) throw new UserMistakeException($"the simulator has room for {SimulationEndpoints.MaxShards} shards, not {run.Shards}");
        if (run.Workers + plan.Faults.Count(static f => f.Kind == FaultKind.Join) > SimulationEndpoints.MaxWorkers) throw new UserMistakeException($"the simulator has room for {SimulationEndpoints.MaxWorkers} workers, those that join included");
        if (run.Steps > MostSteps) throw new UserMistakeException($"the simulator makes at most {MostSteps} steps, not {run.Steps}");
        return new Scenario(seed, run.Workers, run.Shards, microbatches, run.Replicas, (int)run.Steps, CheckpointEvery: 5, NonFinitePolicy.Recompute, (int)Math.Min(auditEvery, int.MaxValue), IsDisturbed: false) { Faults = plan };
    }

    /// <param name="steps">Instead of what the seed says; 0 = as the seed says.</param>
    public static Scenario Draw(ulong seed, int steps = 0)
    {
        var random = new SimulatedRandom(SimulatedRandom.Mix(seed ^ 0x5CE7A210));
        return new Scenario(
            seed,
            Workers: random.Within(1, 5),
            Shards: random.Within(1, 3),
            Microbatches: random.Within(1, 9),
            Replicas: random.Within(0, 1),
            Steps: steps > 0 ? steps : random.Within(3, 12),
            CheckpointEvery: random.Within(0, 4),
            random.Chance(0.2) ? NonFinitePolicy.Skip : NonFinitePolicy.Recompute,
            AuditEvery: random.Within(0, 3),
            IsDisturbed: true)
        {
            Rule = Rules[(int)(SimulatedRandom.Mix(seed ^ 0x2A7E) % (ulong)Rules.Count)],
            IsDamaged = SimulatedRandom.Mix(seed ^ 0xBADF11E) % 3 == 0,
        };
    }

    public StepPlan Plan(StepId step) => StepPlan.For(step, TrainingSamples, GlobalBatch, Microbatches);

    /// <summary>The samples of a leaf, in order.</summary>
    public IEnumerable<int> SamplesOf(StepPlan plan, int leaf)
    {
        var order = new SampleOrder(Seed, plan.Epoch, TrainingSamples);
        var (first, count) = plan.Leaf(leaf);
        return Enumerable.Range(first, count).Select(order.SampleAt);
    }

    public static double LearningRate(StepId step) => 0.1 / (1 + step.Value % 3);

    public override string ToString() =>
        $"seed {Seed}: {Workers} workers, {Shards} shards, {Replicas} standbys per shard, {Microbatches} microbatches, {Steps} steps, checkpoint every {CheckpointEvery}, {NonFinite}, audit every {AuditEvery}, {(Rule.Kind == "lars" ? "lars" : Rule.ClipNorm > 0 ? "clip-norm" : "clip-parameter-norm")}{(IsDamaged ? ", damaged samples" : "")}";
}
