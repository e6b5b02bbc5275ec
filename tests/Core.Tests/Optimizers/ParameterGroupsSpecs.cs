using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class ParameterGroupsSpecs
{
    private static readonly ParameterLayout Layout = ArithmeticFixtures.Layout();

    [Fact]
    public void First_group_that_matches_counts_and_factors_not_given_are_one()
    {
        var groups = ParameterGroups.Parse("fc.*:lr=0.1,decay=0; *.bias:decay=2;layer.weight : lr = 1e-2 ;");
        Assert.Equal((0.1, 0.0), Factors("fc.bias"));
        Assert.Equal((1.0, 2.0), Factors("layer.bias"));
        Assert.Equal((0.01, 1.0), Factors("layer.weight"));
        Assert.Equal((1.0, 1.0), Factors("conv1.weight"));
        groups.RefuseUnmatched(Layout);
        Assert.Empty(ParameterGroups.Parse(null).List);

        (double, double) Factors(string name) => (groups.Of(name).Rate, groups.Of(name).Decay);
    }

    [Theory]
    [InlineData("fc.weight", "fc.weight", true)]
    [InlineData("fc.weight", "fc.weights", false)]
    [InlineData("*", "anything.at.all", true)]
    [InlineData("layer*.bn*.weight", "layer1.0.bn2.weight", true)]
    [InlineData("layer*.bn*.weight", "layer1.0.conv2.weight", false)]
    [InlineData("ab*ba", "aba", false)]
    [InlineData("*a*a*", "a", false)]
    [InlineData("**", "", true)]
    public void Star_stands_for_any_text_and_the_whole_name_must_match(string pattern, string name, bool matches) =>
        Assert.Equal(matches, new ParameterGroup(pattern, 1, 1).Matches(name));

    [Theory]
    [InlineData("fc.*", "a colon")]
    [InlineData("fc.*:", "lr=X")]
    [InlineData("fc.*:lr", "lr=X")]
    [InlineData("fc.*:lr=fast", "fast")]
    [InlineData("fc.*:lr=-1", "-1")]
    [InlineData("fc.*:lr=1,lr=2", "twice")]
    [InlineData("fc.*:momentum=0", "momentum")]
    [InlineData("fc.*:lr=1;fc.*:lr=2", "twice")]
    public void Group_of_another_grammar_is_quoted_with_what_is_wrong(string text, string named)
    {
        var message = Assert.Throws<UserMistakeException>(() => ParameterGroups.Parse(text)).Message;
        Assert.Contains("fc.*", message, StringComparison.Ordinal);
        Assert.Contains(named, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pattern_that_no_parameter_falls_into_is_a_mistake()
    {
        Assert.Contains("layer.bias", Refused("layr.bias:lr=0"), StringComparison.Ordinal);
        Assert.Contains("never used", Refused("fc.*:lr=0; fc.bias:decay=0"), StringComparison.Ordinal);
        // A buffer is no parameter.
        Assert.Contains("bn1.running_mean", Refused("bn1.running_mean:lr=0"), StringComparison.Ordinal);

        static string Refused(string text) => Assert.Throws<UserMistakeException>(() => ParameterGroups.Parse(text).RefuseUnmatched(Layout)).Message;
    }
}
