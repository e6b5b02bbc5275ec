using Cluster.Coordinator.Monitor.Live;

namespace Cluster.Coordinator.Monitor.Tests.Live;

/// <summary>Any number of points fit, evenly, and no extreme is lost.</summary>
public sealed class CurveSpecs
{
    private static CurvePoint[] PointsOf(Curve curve) => [.. Enumerable.Range(0, curve.Count).Select(i => curve[i])];

    [Fact]
    public void Up_to_its_capacity_every_point_stays_as_it_is()
    {
        var curve = new Curve(8);
        for (var i = 1; i <= 8; i++) curve.Add(i, i * 10);
        Assert.Equal(Enumerable.Range(1, 8).Select(static i => new CurvePoint(i, i * 10, i * 10, i * 10)), PointsOf(curve));
    }

    [Theory]
    [InlineData(1000, 1)]
    [InlineData(1000, 999)]
    [InlineData(1000, 1001)]
    [InlineData(1000, 100_000)]
    [InlineData(8, 12_345)]
    public void However_many_points_come_there_are_between_half_of_the_capacity_and_all_of_it(int capacity, int points)
    {
        var curve = new Curve(capacity);
        var spike = points / 3 + 1;
        for (var i = 1; i <= points; i++) curve.Add(i, i == spike ? 1e6 : i % 7);
        var all = PointsOf(curve);
        Assert.InRange(all.Length, Math.Min(points, capacity / 2), capacity);
        Assert.Equal(points, all[^1].Step);
        Assert.Equal(all.OrderBy(static p => p.Step).Select(static p => p.Step), all.Select(static p => p.Step));
        Assert.Equal(1e6, all.Max(static p => p.Max));
        Assert.All(all, static p => Assert.InRange(p.Mean, p.Min, p.Max));
    }

    [Fact]
    public void A_mean_weighs_every_point_of_its_bucket_alike()
    {
        var curve = new Curve(2);
        for (var i = 1; i <= 8; i++) curve.Add(i, i);
        Assert.Equal([new CurvePoint(4, 2.5, 1, 4), new CurvePoint(8, 6.5, 5, 8)], PointsOf(curve));
    }

    [Fact]
    public void What_is_no_number_is_left_out()
    {
        var curve = new Curve(4);
        double[] values = [1, double.NaN, double.PositiveInfinity, 1e300, 2];
        for (var i = 0; i < values.Length; i++) curve.Add(i, values[i]);
        Assert.Equal([1.0, 2.0], PointsOf(curve).Select(static p => p.Mean));
    }

    [Fact]
    public void What_is_sent_after_each_change_adds_up_to_the_curve()
    {
        var curve = new Curve(16);
        var copy = new List<CurvePoint>();
        for (var i = 1; i <= 3000; i++)
        {
            curve.Add(i, Math.Sin(i));
            if (i % 13 != 0 && i != 3000) continue;
            copy.RemoveRange(Math.Min(copy.Count, curve.ChangedFrom), copy.Count - Math.Min(copy.Count, curve.ChangedFrom));
            for (var j = curve.ChangedFrom; j < curve.Count; j++) copy.Add(curve[j]);
            curve.Settle();
        }
        Assert.Equal(PointsOf(curve), copy);
        Assert.Equal(curve.Count, curve.ChangedFrom);
    }
}
