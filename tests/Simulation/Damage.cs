using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>Samples that cannot be decoded: by nobody, or by some workers only, whose copy of the data is another one.</summary>
internal sealed class Damage
{
    private readonly HashSet<int> _everywhere = [];

    /// <summary>Since when, in milliseconds: some files are there at first and vanish.</summary>
    private readonly Dictionary<(int Sample, int Worker), double> _somewhere = [];
    private readonly Func<double> _now;

    /// <param name="now">The virtual clock.</param>
    public Damage(Scenario scenario, Func<double> now)
    {
        _now = now;
        if (!scenario.IsDamaged) return;
        var random = new SimulatedRandom(SimulatedRandom.Mix(scenario.Seed ^ 0xDA3A6E));
        var share = random.Between(0.01, 0.12);
        for (var sample = 0; sample < scenario.TrainingSamples; sample++)
        {
            if (!random.Chance(share)) continue;
            if (random.Chance(0.5)) _everywhere.Add(sample);
            else
            {
                var since = random.Chance(0.5) ? 0 : random.Between(0, 50.0 * scenario.Steps * scenario.Microbatches / scenario.Workers);
                for (var worker = 0; worker < SimulationEndpoints.MaxWorkers; worker++)
                    if (random.Chance(0.6)) _somewhere.Add((sample, worker), since);
            }
        }
        // A leaf of which nothing is left.
        if (random.Chance(0.7))
        {
            var plan = scenario.Plan(new StepId(random.Within(1, scenario.Steps)));
            foreach (var sample in scenario.SamplesOf(plan, random.Below(plan.LeafCount))) _everywhere.Add(sample);
        }
        for (var step = 1; step <= scenario.Steps; step++)
        {
            var plan = scenario.Plan(new StepId(step));
            var damaged = Enumerable.Range(0, plan.LeafCount).SelectMany(leaf => scenario.SamplesOf(plan, leaf)).Count(IsDamaged);
            if (!StepProtocol.IsTooMuch(damaged, plan.SampleCount)) continue;
            // Such a run halts, and rightly so: nothing to see here.
            _everywhere.Clear();
            _somewhere.Clear();
            return;
        }
    }

    public bool CanRead(WorkerId worker, int sample) => !_everywhere.Contains(sample) && !(_somewhere.TryGetValue((sample, worker.Index), out var since) && _now() >= since);

    public bool IsDamaged(int sample) => _everywhere.Contains(sample) || _somewhere.Keys.Any(s => s.Sample == sample);

    public bool IsDamagedEverywhere(int sample) => _everywhere.Contains(sample);

    /// <summary>Somebody copies the data of those that can read it to those that cannot.</summary>
    public void Mend() => _somewhere.Clear();
}
