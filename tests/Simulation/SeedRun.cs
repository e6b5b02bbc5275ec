using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>What came of one seed.</summary>
/// <param name="Violation">Null when every promise held.</param>
/// <param name="Invariant">The broken promise, one of <see cref="InvariantNames"/>.</param>
/// <param name="Counts">What happened how often.</param>
/// <param name="Term">The last term.</param>
public sealed record SeedResult(Scenario Scenario, string? Violation, string? Invariant, long Events, double VirtualMilliseconds, long Term, IReadOnlyDictionary<string, long> Counts);

/// <summary>Runs one scenario from the first event to the last. The same scenario gives the same events.</summary>
public static class SeedRun
{
    /// <param name="trace">Gets a line per event; null = none.</param>
    public static SeedResult Run(Scenario scenario, TextWriter? trace = null) => Run(scenario, Plant.None, trace);

    internal static SeedResult Run(Scenario scenario, Plant plant, TextWriter? trace = null)
    {
        var world = new World(scenario, plant, trace);
        world.Say("scenario", scenario.ToString());
        string? violation = null, invariant = null;
        try
        {
            world.Run();
        }
        catch (InvariantViolation e)
        {
            (violation, invariant) = (e.Message, e.Invariant);
        }
        catch (Exception e) when (e is StepProtocolException or KeyNotFoundException or InvalidOperationException or ArgumentException or NullReferenceException or IndexOutOfRangeException)
        {
            // Whatever a state machine throws is a finding of this seed, not the end of the campaign.
            var where = e is StepProtocolException ? "" : $" ({e.GetType().Name} {e.StackTrace?.Split('\n').FirstOrDefault()?.Trim()})";
            (violation, invariant) = ($"{InvariantNames.NeverStuck}: {e.Message}{where}", InvariantNames.NeverStuck);
        }
        if (violation is not null)
        {
            violation = $"{violation} (event {world.Events}, {world.Now / 1000:0.000} s)";
            world.Say("VIOLATION", violation);
        }
        return new SeedResult(scenario, violation, invariant, world.Events, world.Now, world.Disk.Term.Value, world.Counts);
    }
}
