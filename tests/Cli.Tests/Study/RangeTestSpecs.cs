using System.Text.Json;
using Cluster.Cli.Study;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Study;

public sealed class RangeTestSpecs
{
    /// <summary>Rates from 1e-5 up, ten to the decade.</summary>
    private static double RateOf(int step) => 1e-5 * Math.Pow(10, (step - 1) / 10.0);

    private static RangeTest Of(int steps, Func<double, double> loss) =>
        Enumerable.Range(1, steps).Aggregate(new RangeTest(), (test, step) => test.With(step, RateOf(step), loss(RateOf(step))));

    /// <summary>2.3 at first, falling from 1e-3 on, lowest at 0.1, then away.</summary>
    private static double Valley(double rate) => rate switch
    {
        < 1e-3 => 2.3,
        <= 0.1 => 2.3 - 0.9 * Math.Log10(rate / 1e-3),
        _ => 0.5 * Math.Pow(rate / 0.1, 2),
    };

    [Fact]
    public void Suggestion_is_a_tenth_of_the_rate_with_the_lowest_loss_and_what_comes_after_the_divergence_is_left_out()
    {
        var test = Of(80, Valley);
        Assert.True(test.HasDiverged);
        Assert.Equal(RangeVerdict.Found, test.Verdict);
        Assert.InRange(test.Lowest!.Value.Rate, 0.1, 0.25);          // an average follows by a few steps
        Assert.Equal(test.Lowest.Value.Rate / 10, test.Suggestion);
        Assert.InRange(test.Steepest!.Value.Rate, 1e-3, 0.1);
        Assert.True(test.Points[^1].Smoothed > RangeTest.Divergence * test.Lowest.Value.Smoothed);
        Assert.All(test.Points.SkipLast(1), p => Assert.True(p.Smoothed <= RangeTest.Divergence * test.Lowest.Value.Smoothed));
        Assert.StartsWith($"Suggested rate: {RangeTest.Rate(test.Suggestion!.Value)}, one tenth of ", test.Sentence, StringComparison.Ordinal);
        Assert.Same(test, test.With(81, 1000, 0.001));
    }

    [Fact]
    public void Average_of_equal_losses_is_that_loss_from_the_first_step_on() =>
        Assert.All(Of(30, static _ => 2.5).Points, static p => Assert.Equal(2.5, p.Smoothed, 12));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Loss_that_is_no_number_ends_the_test(double loss)
    {
        var test = Of(60, rate => rate > 0.5 ? loss : Valley(rate));
        Assert.True(test.HasDiverged);
        Assert.Equal(RangeVerdict.Found, test.Verdict);
        Assert.True(double.IsFinite(test.Suggestion!.Value));
    }

    [Fact]
    public void Loss_that_falls_to_the_last_rate_gives_a_lower_bound()
    {
        var test = Of(41, Valley);
        Assert.Equal(RangeVerdict.StillFalling, test.Verdict);
        Assert.Contains("Try a higher --max-lr", test.Sentence, StringComparison.Ordinal);
        Assert.Equal(0.01, test.Suggestion!.Value, 1e-12);
    }

    [Fact]
    public void Loss_that_only_rises_gives_no_suggestion()
    {
        var test = Of(40, static rate => 2.3 + rate * 1e4);
        Assert.Equal((RangeVerdict.NeverFell, (double?)null), (test.Verdict, test.Suggestion));
        Assert.Contains("Try a lower --min-lr", test.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_hold_every_step_and_the_page_stands_alone()
    {
        var test = Of(80, Valley);
        var rows = RangeFiles.Csv(test).TrimEnd('\n').Split('\n');
        Assert.Equal("step,lr,loss,smoothed_loss", rows[0]);
        Assert.Equal(test.Points.Length, rows.Length - 1);
        using var json = JsonDocument.Parse(RangeFiles.Json(test, new RunOptions { Model = "resnet20" }));
        Assert.Equal(test.Suggestion, json.RootElement.GetProperty("suggestion").GetDouble());
        Assert.Equal("resnet20", json.RootElement.GetProperty("options").GetProperty("model").GetString());
        var page = RangePage.Write(test, new RunOptions { Data = "cifar10:/a<b" });
        Assert.Contains(RangeTest.Rate(test.Suggestion!.Value), page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b<", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Test_of_very_few_steps_is_drawn_too(int steps)
    {
        var test = Of(steps, static _ => double.NaN);
        Assert.Equal(RangeVerdict.NeverFell, test.Verdict);
        Assert.DoesNotContain("NaN", RangePage.Write(test, new RunOptions()), StringComparison.Ordinal);
    }
}
