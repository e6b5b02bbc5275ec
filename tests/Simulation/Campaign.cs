namespace Cluster.Simulation;

/// <summary>Many seeds, each on one thread, some at once.</summary>
public static class Campaign
{
    /// <param name="first">The first seed; the others follow.</param>
    /// <param name="seeds">How many.</param>
    /// <param name="steps">Steps of every run; 0 = as the seed says.</param>
    /// <param name="finished">Told after every seed, from any thread.</param>
    /// <returns>In the order of the seeds, whoever ran them.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/>.</exception>
    public static IReadOnlyList<SeedResult> Run(ulong first, int seeds, int steps = 0, Action<SeedResult>? finished = null, CancellationToken stop = default) =>
        Run(seed => Scenario.Draw(seed, steps), first, seeds, static () => Plant.None, finished, stop);

    /// <param name="scenario">Of a seed.</param>
    public static IReadOnlyList<SeedResult> Run(Func<ulong, Scenario> scenario, ulong first, int seeds, CancellationToken stop = default) =>
        Run(scenario, first, seeds, static () => Plant.None, null, stop);

    internal static IReadOnlyList<SeedResult> Run(ulong first, int seeds, int steps, Func<Plant> plant, Action<SeedResult>? finished, CancellationToken stop) =>
        Run(seed => Scenario.Draw(seed, steps), first, seeds, plant, finished, stop);

    private static IReadOnlyList<SeedResult> Run(Func<ulong, Scenario> scenario, ulong first, int seeds, Func<Plant> plant, Action<SeedResult>? finished, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(seeds);
        var results = new SeedResult[seeds];
        Parallel.For(0, seeds, new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            results[i] = SeedRun.Run(scenario(first + (ulong)i), plant());
            finished?.Invoke(results[i]);
        });
        return results;
    }
}
