using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Tests.Nodes;

[Trait("Clock", "wall")]
public sealed class DetoursSpecs
{
    [Fact]
    public void Detours_read_back_as_they_were_written()
    {
        (LinkAddress From, LinkAddress To)[] routes =
        [
            (LinkAddress.Parse("unix:/run/c"), LinkAddress.Parse("unix:/run/worker-1.coordinator")), (LinkAddress.Parse("host-a:7000"), LinkAddress.Parse("127.0.0.1:9000")),
            (LinkAddress.Parse("[::1]:7001"), LinkAddress.Parse("[::1]:9001")),
        ];
        Assert.Equal(routes.ToDictionary(static r => r.From, static r => r.To), Detours.Parse(Detours.Format(routes)));
        Assert.Empty(Detours.Parse(null));
        Assert.Empty(Detours.Parse(" ; "));
    }

    [Theory]
    [InlineData("unix:/a", "CLUSTER_ROUTES: 'unix:/a' is no route; write FROM=TO;FROM=TO")]
    [InlineData("a:1=b:2=c:3", "CLUSTER_ROUTES: 'a:1=b:2=c:3' is no route")]
    [InlineData("a:1=nowhere", "CLUSTER_ROUTES: 'nowhere' has no port")]
    [InlineData("a:1=b:2;a:1=b:3", "CLUSTER_ROUTES: a:1 has two routes")]
    public void Mistaken_detour_is_one_line(string text, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<UserMistakeException>(() => Detours.Parse(text)).Message);
}
