namespace Cluster.Coordinator.Monitor.Health;

/// <summary>Health of a worker or a ps. Any thread.</summary>
public sealed class NodeHealth(DateTimeOffset started) : IHealth
{
    private readonly Turns _reporting = new("the thread that reports", started);
    private volatile string? _notReady = "the node has not joined the run yet";
    private volatile string? _leaving;

    /// <summary>The thread that reports has turned over.</summary>
    public void Turned(DateTimeOffset now) => _reporting.Turned(now);

    /// <summary>It has joined, with everything loaded.</summary>
    public void Joined() => _notReady = null;

    /// <summary>It has lost its link to the coordinator and dials again.</summary>
    public void Lost() => _notReady = "the link to the coordinator is lost";

    /// <summary>Before a planned leave starts. Nothing makes it ready again.</summary>
    public void Leaving(string reason) => _leaving = reason;

    public HealthVerdict Live(DateTimeOffset now) => _reporting.Stall(now) is { } stall ? new HealthVerdict(false, stall) : new HealthVerdict(true, "the process turns over");

    public HealthVerdict Ready() => (_leaving ?? _notReady) is { } reason ? new HealthVerdict(false, reason) : new HealthVerdict(true, "it takes part in the run");
}
