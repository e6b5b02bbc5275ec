using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Actors.Tests;

/// <summary>Weights are looked at while training goes on: each version as it was, and the run comes out the same.</summary>
[Trait("Clock", "wall")]
public sealed class LookSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Every_version_that_is_due_is_shown_as_it_was_and_changes_nothing()
    {
        var undisturbed = await new LocalRun { Steps = 6 }.RunAsync();
        var looked = new ConcurrentDictionary<long, float[]>();
        var run = await new LocalRun { Steps = 6, Workers = 3, Shards = 2, LookEvery = 2, Look = Keep(looked) }.RunAsync();
        Assert.Equal(undisturbed.Hash, run.Hash);
        // That of the last version comes before the end; the others have threads of their own, for which nobody waits.
        Assert.Contains(6L, looked.Keys);
        Assert.True(SpinWait.SpinUntil(() => looked.Count == 3, Patience), $"only {string.Join(", ", looked.Keys)}");
        foreach (var version in (int[])[2, 4, 6])
        {
            var end = new ConcurrentDictionary<long, float[]>();
            await new LocalRun { Steps = version, Workers = 1, Look = Keep(end) }.RunAsync();
            Assert.Equal(end[version], looked[version]);
        }
    }

    private static Action<WeightsVersion, IReadOnlyList<ShardSnapshot>> Keep(ConcurrentDictionary<long, float[]> looked) =>
        (version, parts) => looked[version.Value] = [.. parts.OrderBy(static p => p.Offset).SelectMany(static p => p.Weights.Span.ToArray())];
}
