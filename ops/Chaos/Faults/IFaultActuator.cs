namespace Cluster.Chaos;

/// <summary>Does a kind of fault to a running cluster. Any thread, several faults at once.</summary>
public interface IFaultActuator
{
    /// <summary>Strikes. Done when it has its effect: the process is dead and reaped, stopped with all its threads, cut off.</summary>
    /// <returns>What <see cref="End"/> ends later (anything, for a fault without an end); null when there was nothing to strike. Never fails.</returns>
    Task<object?> StrikeAsync(FaultSpec fault);

    /// <summary>The fault's time is over.</summary>
    /// <param name="struck">What the strike returned.</param>
    /// <returns>A sentence about what was done, or null if there was nothing left to end.</returns>
    string? End(FaultSpec fault, object struck);
}
