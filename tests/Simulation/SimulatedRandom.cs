namespace Cluster.Simulation;

/// <summary>
/// The one generator of a simulated run: SplitMix64 (Steele, Lea and Flood, 2014). Its sequence is a part of what a seed
/// means, so it does not depend on the runtime's own generator.
/// </summary>
internal sealed class SimulatedRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Bits()
    {
        _state += 0x9E3779B97F4A7C15;
        return Mix(_state);
    }

    /// <summary>Uniform in [0, <paramref name="bound"/>); the bias is below bound / 2^32.</summary>
    public int Below(int bound) => (int)(((Bits() >> 32) * (ulong)bound) >> 32);

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>], both included.</summary>
    public int Within(int low, int high) => low + Below(high - low + 1);

    public double Uniform() => (Bits() >> 11) * (1.0 / (1UL << 53));

    public double Between(double low, double high) => low + Uniform() * (high - low);

    public bool Chance(double probability) => Uniform() < probability;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
