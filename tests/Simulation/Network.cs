namespace Cluster.Simulation;

/// <summary>
/// Carries messages between processes: late, out of order, twice or not at all, and across no cut. What is on its way
/// when a cut begins is lost.
/// </summary>
internal sealed class Network(World world, SimulatedRandom random)
{
    private readonly List<Cut> _cuts = [];

    /// <summary>Until then messages are lost, doubled and held up.</summary>
    public double NoisyUntil { get; set; }
    public double Loss { get; set; }
    public double Doubling { get; set; }
    public double Spikes { get; set; }

    /// <summary>Nothing passes from one set of endpoints (bits) to the other until then.</summary>
    private sealed record Cut(ulong From, ulong To, double Until);

    /// <summary>What goes to these endpoints, and what comes from them if <paramref name="both"/>, takes so much longer until then.</summary>
    private sealed record Slowness(ulong At, bool Both, double Extra, double Until);

    private readonly List<Slowness> _slow = [];

    public void Slow(ulong at, bool both, double extra, double milliseconds) => _slow.Add(new Slowness(at, both, extra, world.Now + milliseconds));

    public void Separate(ulong from, ulong to, double milliseconds) => _cuts.Add(new Cut(from, to, world.Now + milliseconds));

    public bool IsCut(Process from, Process to)
    {
        foreach (var cut in _cuts)
            if (world.Now < cut.Until && (cut.From >> from.Endpoint & 1) != 0 && (cut.To >> to.Endpoint & 1) != 0) return true;
        return false;
    }

    public void Send(Process from, Process to, object message, object? tensors = null)
    {
        if (!from.IsAlive) return;
        var isNoisy = world.Now < NoisyUntil;
        if (IsCut(from, to) || isNoisy && random.Chance(Loss))
        {
            world.Count("messages lost");
            if (world.IsTracing) world.Say(from, $"to {to}, LOST: {EventText.Of(message)}");
            return;
        }
        Carry(from, to, message, tensors, isNoisy);
        if (!isNoisy || !random.Chance(Doubling)) return;
        world.Count("messages doubled");
        Carry(from, to, message, tensors, isNoisy);
    }

    private void Carry(Process from, Process to, object message, object? tensors, bool isNoisy)
    {
        var delay = random.Between(0.1, 0.6);
        foreach (var slow in _slow)
            if (world.Now < slow.Until && ((slow.At >> to.Endpoint & 1) != 0 || slow.Both && (slow.At >> from.Endpoint & 1) != 0)) delay += slow.Extra;
        if (isNoisy && random.Chance(Spikes))
        {
            delay += random.Between(1, random.Chance(0.2) ? 800 : 60);
            world.Count("messages held up");
        }
        world.After(delay, () =>
        {
            if (IsCut(from, to)) world.Count("messages lost");
            else to.Do(() => to.Receive(from, message, tensors));
        });
    }
}
