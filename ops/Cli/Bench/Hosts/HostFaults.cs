using System.Collections.Immutable;
using System.Globalization;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>What happens to hosts.</summary>
internal enum HostFaultKind
{
    /// <summary>The host loses power: nothing passes to or from it any more, then all its processes are gone. It comes back.</summary>
    Kill,

    /// <summary>The network falls apart into two sides.</summary>
    Split,

    /// <summary>What a host sends is lost; it hears all the others.</summary>
    OneWay,

    /// <summary>What a host sends passes slowly.</summary>
    Slow,
}

/// <summary>One fault of a run.</summary>
/// <param name="Hosts">The host, or the smaller side of a split.</param>
/// <param name="Seconds">How long it lasts.</param>
/// <param name="Step">It strikes when this step is recorded, or later if the fault before it is not over.</param>
/// <param name="IntoStep">And so many milliseconds after that, so that all phases of a step are met.</param>
internal sealed record HostFault(HostFaultKind Kind, ImmutableArray<int> Hosts, double Seconds, long Step, int IntoStep)
{
    public override string ToString()
    {
        var hosts = string.Join(" and ", Hosts.Select(static h => $"host {h}"));
        var seconds = Seconds.ToString("0.0", CultureInfo.InvariantCulture);
        return Kind switch
        {
            HostFaultKind.Kill => $"{hosts} loses power for {seconds} s",
            HostFaultKind.Split => $"{hosts} split from the others for {seconds} s",
            HostFaultKind.OneWay => $"nothing that {hosts} sends arrives for {seconds} s",
            _ => $"{hosts} sends slowly for {seconds} s",
        };
    }
}

/// <summary>Draws faults. Pure: the same seed, the same faults.</summary>
internal static class HostFaults
{
    /// <summary>Steps before the first one: every role has begun its work.</summary>
    public const long FirstStep = 5;

    /// <param name="count">Kinds take turns, so that each comes; killed hosts take turns too.</param>
    /// <param name="hosts">At least 2.</param>
    /// <param name="apart">Steps from one to the next.</param>
    public static IReadOnlyList<HostFault> Draw(int seed, int count, int hosts, int apart)
    {
        var random = new Random(seed);
        var faults = new List<HostFault>();
        var kills = 0;
        for (var i = 0; i < count; i++)
        {
            // Half are kills: of all that can happen to a host it is what loses state.
            var kind = i % 2 == 0 ? HostFaultKind.Kill : (HostFaultKind)(1 + i / 2 % 3);
            ImmutableArray<int> who = kind switch
            {
                HostFaultKind.Kill => [kills++ % hosts],
                HostFaultKind.Split => SideOf(random, hosts),
                _ => [random.Next(hosts)],
            };
            faults.Add(new HostFault(kind, who, 0.3 + random.NextDouble() * 1.7, FirstStep + (long)i * apart, random.Next(50)));
        }
        return faults;
    }

    private static ImmutableArray<int> SideOf(Random random, int hosts)
    {
        var mixed = Enumerable.Range(0, hosts).ToArray();
        random.Shuffle(mixed);
        return [.. mixed.Take(1 + random.Next(Math.Max(1, hosts / 2))).Order()];
    }
}
