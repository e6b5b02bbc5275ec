using Cluster.Cli.Nodes;

namespace Cluster.Cli.Tests.Nodes;

/// <summary>What is not encrypted is shown to other machines by order alone.</summary>
public sealed class MonitorExposureSpecs
{
    [Theory]
    [InlineData(null)]
    [InlineData("none")]
    [InlineData("127.0.0.1:0")]
    [InlineData("127.8.9.10:80")]
    [InlineData("localhost:8080")]
    [InlineData("[::1]:0")]
    public void Loopback_needs_nothing(string? monitor)
    {
        Assert.Null(MonitorExposure.Mistake(monitor, isInsecure: false));
        Assert.Null(MonitorExposure.MistakeWithoutFolder(monitor, isInsecure: false, token: null));
    }

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:8080")]
    [InlineData("10.1.2.3:8080")]
    public void Elsewhere_needs_the_word_and_without_a_folder_a_token(string monitor)
    {
        Assert.Contains("--insecure", MonitorExposure.Mistake(monitor, isInsecure: false));
        Assert.Null(MonitorExposure.Mistake(monitor, isInsecure: true));
        Assert.Contains("--insecure", MonitorExposure.MistakeWithoutFolder(monitor, isInsecure: false, "token"));
        Assert.Contains("CLUSTER_MONITOR_TOKEN", MonitorExposure.MistakeWithoutFolder(monitor, isInsecure: true, " "));
        Assert.Null(MonitorExposure.MistakeWithoutFolder(monitor, isInsecure: true, "token"));
    }
}
