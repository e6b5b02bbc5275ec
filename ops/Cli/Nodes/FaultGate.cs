using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>
/// Holds a step's record back until the supervisor has struck the faults that were ordered for it: so a fault lands
/// between BeginStep and the record, as <c>--fault</c> promises.
/// </summary>
internal sealed class FaultGate(IEnumerable<StepId> steps)
{
    /// <summary>In the coordinator's environment: the steps with faults, with commas.</summary>
    public const string Variable = "CLUSTER_FAULT_STEPS";

    /// <summary>A supervisor that does not answer in time does not stop a training run.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HashSet<StepId> _due = [.. steps];

    public static FaultGate FromEnvironment() => new(
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(static s => new StepId(long.Parse(s, System.Globalization.CultureInfo.InvariantCulture))));

    public void Struck(StepId step)
    {
        lock (_due)
        {
            _due.Remove(step);
            Monitor.PulseAll(_due);
        }
    }

    public void Wait(StepId step)
    {
        var deadline = DateTime.UtcNow + Patience;
        lock (_due)
        {
            while (_due.Contains(step))
            {
                var left = deadline - DateTime.UtcNow;
                if (left <= TimeSpan.Zero || !Monitor.Wait(_due, left)) _due.Remove(step);
            }
        }
    }
}
