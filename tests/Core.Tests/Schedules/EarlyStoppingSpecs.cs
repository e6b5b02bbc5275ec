using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class EarlyStoppingSpecs
{
    private static EarlyStopping After(EarlyStoppingOptions options, params double[] values) => values.Select((value, i) => (value, i)).Aggregate(
        new EarlyStopping(options), (state, e) => state.Next(new EvaluationNote(new WeightsVersion(10 * (e.i + 1)), Loss: options.Metric == "loss" ? e.value : 7, Accuracy: options.Metric == "loss" ? 0.5 : e.value)));

    [Theory]
    [InlineData("accuracy", 0.0, new[] { 0.5, 0.6, 0.6, 0.55 }, 20, 2, true)]       // an equal one is no better: the first stays
    [InlineData("accuracy", 0.0, new[] { 0.5, 0.4, 0.6, 0.55 }, 30, 1, false)]      // counted in a row
    [InlineData("accuracy", 0.05, new[] { 0.5, 0.54, 0.549, 0.53 }, 10, 3, true)]   // held against the best, not the one before
    [InlineData("accuracy", 0.05, new[] { 0.5, 0.54, 0.56 }, 30, 0, false)]
    [InlineData("loss", 0.0, new[] { 2.0, 1.5, 1.6, 1.5 }, 20, 2, true)]
    [InlineData("loss", 0.1, new[] { 2.0, 1.95, 1.85 }, 30, 0, false)]
    [InlineData("loss", 0.0, new[] { double.NaN, double.NaN, 3.0 }, 30, 0, false)]  // anything is better than NaN
    [InlineData("loss", 0.0, new[] { 3.0, double.NaN, double.NaN }, 10, 2, true)]
    public void Best_and_patience_follow_from_the_evaluations(string metric, double delta, double[] values, long best, int bad, bool isSpent)
    {
        var state = After(new EarlyStoppingOptions { Patience = 2, MinDelta = delta, Metric = metric }, values);
        Assert.Equal((best, bad, isSpent), (state.Best!.Version.Value, state.Bad, state.IsSpent));
    }

    [Fact]
    public void Without_patience_no_run_ends() =>
        Assert.False(After(new EarlyStoppingOptions(), [.. Enumerable.Repeat(0.1, 1000)]).IsSpent);

    [Fact]
    public void Sentence_says_what_was_waited_for_and_what_is_kept()
    {
        var note = new EvaluationNote(new WeightsVersion(40), 1.23456, 0.8765);
        Assert.Equal(
            "Stopped early at step 70: no better accuracy in 3 evaluations; the best was 87.65 % at step 40.",
            new EarlyStop(new WeightsVersion(70), note, new EarlyStoppingOptions { Patience = 3 }).Sentence);
        Assert.Equal(
            "Stopped early at step 70: no lower test loss in 1 evaluation; the best was 1.2346 at step 40.",
            new EarlyStop(new WeightsVersion(70), note, new EarlyStoppingOptions { Patience = 1, Metric = "loss" }).Sentence);
    }
}
