using Cluster.Cli.Bench.Hosts;

namespace Cluster.Cli.Tests.Hosts;

/// <summary>Hosts for a spec, or a visible reason why there are none.</summary>
internal static class SeveralHosts
{
    private static readonly Lazy<string?> Missing = new(HostNetwork.Missing);

    /// <summary>Skips the spec where this machine cannot make hosts.</summary>
    public static HostNetwork Make(int count)
    {
        Assert.SkipWhen(Missing.Value is not null, $"no hosts can be made here: {Missing.Value}");
        return HostNetwork.Create(count);
    }
}
