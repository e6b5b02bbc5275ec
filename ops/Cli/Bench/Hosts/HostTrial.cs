using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>One run over hosts, struck by faults, then held against the undisturbed one. Its folder stays only for somebody to look at what went wrong.</summary>
internal sealed class HostTrial
{
    private readonly HostRunResult _result;
    private readonly string? _kept;

    private HostTrial(HostRunResult result, string? kept) => (_result, _kept) = (result, kept);

    /// <summary>Whether a step or a fault is missing, or anything differs.</summary>
    public bool Failed => _kept is not null;

    /// <exception cref="UserMistakeException">This machine cannot have hosts.</exception>
    public static void Demand(string bench)
    {
        if (HostNetwork.Missing() is { } missing) throw new UserMistakeException($"bench {bench} cannot make hosts on this machine: {missing}");
    }

    /// <param name="struck">Called once per fault, with its number from 0; false = the run was over before it had shown that it goes on.</param>
    /// <exception cref="BenchmarkException">The run failed or stood still, or the undisturbed one failed.</exception>
    public static async Task<HostTrial> RunAsync(string bench, HostRunOptions options, int faults, Func<HostRun, int, Task<bool>> struck, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory($"cluster-bench-{bench}-");
        using var network = HostNetwork.Create(options.Hosts);
        HostRunResult result;
        var done = 0;
        try
        {
            using var running = await HostRun.BeginAsync(network, options, folder.FullName, stop);
            while (done < faults && await struck(running, done)) done++;
            options.Progress($"{done} of {faults} faults are over; the rest of the run, then the undisturbed one");
            result = await running.EndAsync(stop);
        }
        catch (OperationCanceledException)
        {
            folder.Delete(recursive: true);
            throw;
        }
        var failed = !result.IsSame || done < faults;
        if (!failed) folder.Delete(recursive: true);
        return new HostTrial(result, failed ? folder.FullName : null);
    }

    /// <summary>What must hold of every run over hosts.</summary>
    public List<Figure> Steps() =>
    [
        new(HostsBenchmark.Group, "recorded", "steps", [_result.Records]),
        new(HostsBenchmark.Group, "lost", "steps", [_result.Missing]) { Bound = Bound.AtMost(0) },
        new(HostsBenchmark.Group, "recorded twice", "steps", [_result.Twice]) { Bound = Bound.AtMost(0) },
        new(HostsBenchmark.Group, "that differ", "steps", [_result.Differing]) { Bound = Bound.AtMost(0) },
    ];

    public string[] Notes() => [$"{_result}.", _kept is not null ? $"The run is kept in {_kept}." : "The run was the undisturbed one, step for step."];
}
