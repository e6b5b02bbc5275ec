using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>The faults that were ordered of this process: when they are in force, and that everybody hears of it. Any thread.</summary>
/// <param name="tell">Hears each fault as it arises or ends; any thread, must not block.</param>
/// <param name="time">For those that last.</param>
internal sealed class NodeFaults(IEnumerable<FaultSpec> faults, TimeProvider time, Action<FaultSpec, string> tell)
{
    /// <summary>In a node's environment: its faults, with semicolons between.</summary>
    public const string Variable = "CLUSTER_NODE_FAULTS";

    /// <summary>The clock of whatever lasts.</summary>
    public TimeProvider Time => time;

    /// <summary>Keeps the calling thread for so long.</summary>
    public Action<TimeSpan> Rest { get; init; } = Thread.Sleep;

    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private ArmedFaults _armed = ArmedFaults.Of(faults);

    /// <summary>Later than every step.</summary>
    private static readonly StepId AnyStep = new(long.MaxValue);

    /// <param name="node">This process's name.</param>
    /// <exception cref="UserMistakeException">The variable holds something that is no fault of this node.</exception>
    public static NodeFaults FromEnvironment(string node, Action<FaultSpec, string> tell) => new(
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries).Select(text => FaultSpec.Parse(text, [node], long.MaxValue)),
        TimeProvider.System, tell);

    /// <summary>Whether any of these kinds may arise: else nothing needs to be looked at.</summary>
    public bool Has(params ReadOnlySpan<FaultKind> kinds)
    {
        lock (_lock)
        {
            foreach (var kind in kinds)
                if (_armed.Has(kind)) return true;
            return false;
        }
    }

    /// <summary>The fault of this kind that arises now, once; the caller says what it does (<see cref="Say"/>).</summary>
    public FaultSpec? Take(FaultKind kind, StepId step)
    {
        lock (_lock)
        {
            (_armed, var due) = _armed.Take(kind, step);
            return due;
        }
    }

    /// <summary>One that was ordered for this very start of the process.</summary>
    public FaultSpec? TakeAtStart(FaultKind kind) => Take(kind, AnyStep);

    /// <summary>The fault of this kind that is in force now; its beginning and its end are said.</summary>
    public FaultSpec? InForce(FaultKind kind, StepId step)
    {
        FaultLook found;
        lock (_lock) (_armed, found) = _armed.Look(kind, step, time.GetElapsedTime(_origin));
        if (found.Ended is { } ended) tell(ended, $"fault {ended}: over, {ended.Node} is as before");
        if (found is { Begun: true, Active: { } begun }) Say(begun, $"in step {step} for {begun.Duration.TotalSeconds:0.###} s");
        return found.Active;
    }

    /// <param name="where">A sentence's end: <c>in leaf 2 of step 4</c>.</param>
    public void Say(FaultSpec fault, string where) => tell(fault, $"fault {fault}: {fault.Node} {fault.Facts.Past} {where}");
}
