namespace Cluster.Cli.Bench.Fuzz;

/// <summary>SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers for the same seed on every machine and runtime.</summary>
internal struct FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The generator of one case, independent of all others: a case is made again from its number alone.</summary>
    public static FuzzRandom For(ulong seed, string target, long index)
    {
        // FNV-1a: string.GetHashCode differs from process to process.
        var hash = 14695981039346656037UL;
        foreach (var c in target) hash = (hash ^ c) * 1099511628211UL;
        var random = new FuzzRandom(seed ^ hash);
        return new FuzzRandom(random.Next() + (ulong)index * 0x9E3779B97F4A7C15UL);
    }

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15UL;
        var z = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>In [0, below); 0 when there is nothing to choose from.</summary>
    public int Below(int below) => below <= 1 ? 0 : (int)((Next() >> 32) * (ulong)below >> 32);

    public bool OneIn(int n) => Below(n) == 0;
}
