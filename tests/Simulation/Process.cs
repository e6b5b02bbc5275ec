namespace Cluster.Simulation;

/// <summary>A process on the virtual clock. While it is paused, whatever comes waits; once it is dead, nothing comes any more.</summary>
internal abstract class Process(World world, string name, int endpoint, long incarnation)
{
    private readonly Queue<Action> _waiting = [];

    protected World World { get; } = world;
    public string Name { get; } = name;

    /// <summary>Its host on the network: the same for every incarnation of a shard's node or a worker.</summary>
    public int Endpoint { get; } = endpoint;
    public long Incarnation { get; } = incarnation;
    public bool IsAlive { get; private set; } = true;
    public double PausedUntil { get; private set; }
    public bool IsPaused => World.Now < PausedUntil;

    public abstract void Receive(Process from, object message, object? tensors);

    /// <summary>Its memory is gone; what it had handed to the network or the disk is not.</summary>
    public virtual void Crash() => IsAlive = false;

    public void Do(Action action)
    {
        if (!IsAlive) return;
        if (IsPaused) _waiting.Enqueue(action);
        else action();
    }

    public void After(double milliseconds, Action action) => World.After(milliseconds, () => Do(action));

    public void Pause(double milliseconds)
    {
        PausedUntil = Math.Max(PausedUntil, World.Now + milliseconds);
        World.After(PausedUntil - World.Now, Wake);
    }

    private void Wake()
    {
        while (IsAlive && !IsPaused && _waiting.TryDequeue(out var action)) action();
    }

    public override string ToString() => Name;
}
