using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Membership.Tests;

/// <summary>What a build without Akka.Cluster says to who asks for it.</summary>
public sealed class MinimalFeedSpecs
{
    [Fact]
    public void Build_without_the_engine_says_in_one_line_how_to_get_it()
    {
        var options = new EngineOptions(MemberRole.Worker, null, 1, "", LinkAddress.Parse("127.0.0.1:0"), []);
        if (Type.GetType("Cluster.Membership.Gossip.AkkaMembership, Cluster.Membership") is not null) Assert.Skip("this build has Akka.Cluster");
        var mistake = Assert.Throws<UserMistakeException>(() => MembershipEngines.JoinAkka(options));
        Assert.Contains("-p:Feed=full", mistake.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', mistake.Message);
    }
}
