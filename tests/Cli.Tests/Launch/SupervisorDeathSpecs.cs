using System.Diagnostics;
using System.Globalization;
using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>The promise of docs/launch.md: whoever kills the supervisor has no orphans 2 seconds later.</summary>
[Trait("Clock", "wall")]
public sealed class SupervisorDeathSpecs
{
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2), Patience = TimeSpan.FromSeconds(60);

    /// <summary>Five supervisors, one after the other, each with children that compute, are blocked, serve, or are stopped.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Children_are_gone_2_seconds_after_their_supervisor_was_killed(int round)
    {
        Assert.InRange(round, 1, 5);
        string[] parts = ["compute", "block", "serve", "serve"];
        using var supervisor = StartSupervisor(parts);
        var children = await ChildrenOf(supervisor, parts.Length);
        try
        {
            // The last one stands still, as under --fault stop.
            Assert.True(Signals.Send(children[3].Id, ChildSignal.Stop));
            Assert.True(Signals.Send(supervisor.Id, ChildSignal.Kill));
            var clock = Stopwatch.StartNew();
            foreach (var (child, part) in children.Zip(parts)) Assert.True(child.DiesWithin(Promise - clock.Elapsed), $"process {child.Id} ({part}, {OtherProcess.StateOf(child.Id)}) lives {clock.Elapsed} after its supervisor was killed");
        }
        finally
        {
            foreach (var child in children)
            {
                Signals.Send(child.Id, ChildSignal.Kill);
                child.Dispose();
            }
        }
    }

    [Fact]
    public async Task Terminated_supervisor_stops_its_children_in_order_and_answers_130()
    {
        using var supervisor = StartSupervisor(["serve", "serve"]);
        var children = await ChildrenOf(supervisor, 2);
        Assert.True(Signals.Send(supervisor.Id, ChildSignal.Terminate));
        await supervisor.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(130, supervisor.ExitCode);
        foreach (var child in children)
        {
            Assert.True(child.DiesWithin(TimeSpan.Zero + TimeSpan.FromMilliseconds(1)));
            child.Dispose();
        }
    }

    [Fact]
    public async Task Child_whose_supervisor_died_before_it_could_watch_ends_by_itself()
    {
        // A process that is not our parent stands for a parent that is gone.
        using var child = StartWatched("block", parent: 1);
        await child.WaitForExitAsync().WaitAsync(Patience);

        // By the first signal or by the second: it may not have come to refuse the first.
        Assert.Contains(child.ExitCode, (int[])[128 + 15, 128 + 9]);
    }

    [Theory]
    [InlineData("serve", 0)]
    [InlineData("block", 128 + 9)]
    public async Task Child_ends_in_order_or_by_force_when_its_standard_input_ends(string part, int code)
    {
        using var child = StartWatched(part, Environment.ProcessId);
        Assert.Equal("ready", await child.StandardOutput.ReadLineAsync().WaitAsync(Patience));
        child.StandardInput.Close();
        await child.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(code, child.ExitCode);
    }

    [Fact]
    public async Task Process_that_nobody_supervises_is_not_watched()
    {
        using var child = StartWatched("serve", parent: null);
        Assert.Equal("ready", await child.StandardOutput.ReadLineAsync().WaitAsync(Patience));
        child.StandardInput.Close();
        using var watched = new OtherProcess(child.Id);
        Assert.False(watched.DiesWithin(TimeSpan.FromMilliseconds(3 * Contracts.Limits.ParentPollMilliseconds)));
        child.Kill();
        await child.WaitForExitAsync().WaitAsync(Patience);
    }

    private static Process StartWatched(string part, int? parent)
    {
        var spec = LaunchChild.Spec("child", part);
        var start = new ProcessStartInfo(spec.FileName) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in spec.Environment) start.Environment[name] = value;
        start.Environment[ParentWatch.ParentVariable] = parent?.ToString(CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }

    private static Process StartSupervisor(string[] parts)
    {
        var spec = LaunchChild.Spec("supervisor", $"supervise {string.Join(',', parts)}");
        var start = new ProcessStartInfo(spec.FileName) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in spec.Environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Waits until so many children are ready; the last is the last of the list.</summary>
    private static async Task<List<OtherProcess>> ChildrenOf(Process supervisor, int count)
    {
        var children = new SortedDictionary<string, OtherProcess>(StringComparer.Ordinal);
        while (children.Count < count)
        {
            var line = await supervisor.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException("the supervisor ended early");
            if (line.Split(' ') is [var name, var process, "ready"]) children[name] = new OtherProcess(int.Parse(process, CultureInfo.InvariantCulture));
        }
        return [.. children.Values];
    }
}
