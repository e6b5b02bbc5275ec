using Cluster.Contracts;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>How seeds that are pods are written.</summary>
public sealed class PodSelectorSpecs
{
    [Theory]
    [InlineData("k8s:app.kubernetes.io/name=cluster,component=coordinator:7100", "app.kubernetes.io/name=cluster,component=coordinator", null, 7100)]
    [InlineData("k8s:app=x@training:1", "app=x", "training", 1)]
    [InlineData("k8s:team/app in (a,b),!old@n-1:65535", "team/app in (a,b),!old", "n-1", 65535)]
    public void Selector_namespace_and_port_are_told_apart(string text, string selector, string? space, int port)
    {
        Assert.True(PodSelector.IsOne(text));
        Assert.Equal(new PodSelector(selector, space, port), PodSelector.Parse(text));
        Assert.Equal(text, PodSelector.Parse(text).ToString());
    }

    [Theory]
    [InlineData("k8s:")]
    [InlineData("k8s:app=x")]
    [InlineData("k8s::7100")]
    [InlineData("k8s: :7100")]
    [InlineData("k8s:@ns:7100")]
    [InlineData("k8s:app=x:0")]
    [InlineData("k8s:app=x:65536")]
    [InlineData("k8s:app=x:+7")]
    [InlineData("k8s:app=x:7100,b:7100")]
    [InlineData("k8s:app=x@:7100")]
    [InlineData("k8s:app=x@Name_Space:7100")]
    [InlineData("k8s:app=x@a/../b:7100")]
    [InlineData("k8s:app=x@n@m:7100")]
    [InlineData("k8s:app=x&limit=1:7100")]
    [InlineData("k8s:app=x?y:7100")]
    [InlineData("k8s:app=\u00e9:7100")]
    [InlineData("k8s:app=x\n:7100")]
    public void What_is_none_is_said_in_one_line(string text)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => PodSelector.Parse(text));
        Assert.True(mistake.Message.Length > 10);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void Selector_without_end_is_refused() =>
        Assert.Throws<UserMistakeException>(() => PodSelector.Parse($"k8s:{new string('a', Limits.PodSelectorChars + 1)}:7100"));
}
