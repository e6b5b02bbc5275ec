using System.Text;

namespace Cluster.Benchmarks;

/// <summary>Runs contenders in turn, so that a noisy machine is noisy to all of them, and compares them round by round.</summary>
internal static class Comparison
{
    /// <summary>One round unmeasured, then <paramref name="rounds"/> measured ones; the order turns round each time.</summary>
    /// <exception cref="InvalidOperationException">The contenders' losses disagree: they do not compute the same thing.</exception>
    public static string Run(Workload workload, List<IContender> contenders, int rounds, int iterations)
    {
        var results = contenders.ToDictionary(static c => c, static _ => new List<Measurement>());
        foreach (var contender in contenders) contender.Run(1);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var contender in round % 2 == 0 ? contenders : Enumerable.Reverse(contenders)) results[contender].Add(contender.Run(iterations));
        }
        var losses = contenders.Select(c => results[c][0].Loss).ToList();
        if (losses.Exists(l => Math.Abs(l - losses[0]) > 1e-3 * Math.Abs(losses[0])))
            throw new InvalidOperationException($"the contenders compute different losses: {string.Join(", ", losses)}");

        var format = workload.ChannelsLast ? "channels-last" : "contiguous";
        var text = new StringBuilder();
        text.AppendLine($"{workload.Model}, batch {workload.Batch}, {workload.Threads} thread(s), {format}, n = {rounds} rounds of {iterations} iterations, medians");
        text.AppendLine($"{"",-24}{"ms",10}{"CPU ms",10}{"images/s",10}{"faults",10}");
        foreach (var contender in contenders)
        {
            var (wall, cpu) = (Median(results[contender].Select(static m => m.Wall)), Median(results[contender].Select(static m => m.Cpu)));
            text.AppendLine($"{contender.Name,-24}{wall * 1e3,10:F2}{cpu * 1e3,10:F2}{workload.Batch / wall,10:F1}{Median(results[contender].Select(static m => m.Faults)),10:F0}");
        }
        for (var i = 1; i < contenders.Count; i++)
        {
            var (reference, contender) = (contenders[i - 1], contenders[i]);
            text.AppendLine($"speed of {contender.Name} over {reference.Name}: wall {Ratio(static m => m.Wall)}, CPU {Ratio(static m => m.Cpu)}");

            string Ratio(Func<Measurement, double> of)
            {
                var ratios = results[reference].Zip(results[contender], (a, b) => of(a) / of(b)).ToList();
                return $"{Median(ratios):F4} ({ratios.Min():F3} to {ratios.Max():F3})";
            }
        }
        return text.ToString();
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
