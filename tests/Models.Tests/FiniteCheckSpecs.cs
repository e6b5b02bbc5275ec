using Cluster.Contracts;
using Cluster.Engine;

namespace Cluster.Models.Tests;

public sealed class FiniteCheckSpecs
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void One_bad_value_is_found_wherever_it_stands(float bad)
    {
        // Every remainder of the vectorised loop: whole rounds, single vectors and scalars.
        for (var length = 1; length <= 150; length++)
        {
            var values = Enumerable.Range(0, length).Select(i => i % 2 == 0 ? float.MaxValue : -float.Epsilon).ToArray();
            Assert.True(FiniteCheck.AllFinite(values));
            for (var at = 0; at < length; at++)
            {
                var kept = values[at];
                values[at] = bad;
                Assert.False(FiniteCheck.AllFinite(values), $"position {at} of {length}");
                values[at] = kept;
            }
        }
    }

    [Fact]
    public void First_bad_entry_is_named_in_the_order_of_the_vector()
    {
        var layout = ParameterLayout.Of(
            [("a", [3], StateKind.Parameter, true), ("b", [2, 2], StateKind.Parameter, true), ("m", [5], StateKind.Buffer, false), ("n", [], StateKind.Counter, false)]);
        var state = new float[layout.StateFloats];
        Assert.Null(FiniteCheck.FirstBad(layout, state));

        state[layout["m"].Offset + 4] = float.NaN;
        Assert.Equal("m", FiniteCheck.FirstBad(layout, state));
        state[layout["b"].Offset + 1] = float.NegativeInfinity;
        Assert.Equal("b", FiniteCheck.FirstBad(layout, state));
    }
}
