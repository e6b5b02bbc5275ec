using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class EvaluationSumsSpecs
{
    private static long Label(int row) => (row * 3 + 1) % 10;

    private static float Logit(int row, int column) =>
        ((row * 7919 + column * 104729 + 4242) % 4001 - 2000) / 256f + (row % 2 == 0 && column == Label(row) ? 8 : 0);

    private static (float[] Logits, long[] Labels) Rows(int first, int count) => (
        [.. from row in Enumerable.Range(first, count) from column in Enumerable.Range(0, 10) select Logit(row, column)],
        [.. Enumerable.Range(first, count).Select(Label)]);

    [Fact]
    public void Sums_are_those_of_torch()
    {
        var cases = ArithmeticGolden.Cases("cross_entropy.json");
        Assert.Equal(5, cases.Count);
        foreach (var golden in cases)
        {
            var (logits, labels) = Rows(0, golden.Whole("rows"));
            var sums = EvaluationSums.FromLogits(logits, labels, golden.Whole("classes"), golden.Number("scale"), golden.Number("smoothing"));
            Assert.True(Math.Abs(sums.LossSum - golden.Number("loss")) <= 1e-12 * golden.Number("loss"), $"{sums.LossSum:R}, torch has {golden.Number("loss"):R}");
            Assert.Equal((golden.Whole("correct"), golden.Whole("top5")), (sums.Correct, sums.Top5Correct));
            Assert.Equal(golden.Whole("rows"), sums.Samples);
            Assert.Equal(sums.Correct, sums.ClassCorrect.Sum());
            Assert.Equal(sums.Samples, sums.ClassSamples.Sum());
            Assert.Equal(0, sums.BrokenRows);
        }
    }

    [Fact]
    public void Squared_error_is_half_the_squared_distance_to_the_smoothed_one_hot_vector()
    {
        var sums = EvaluationSums.FromLogits([1, 2, -1, 3], [1, 0], 2, squaredError: true);
        Assert.Equal(0.5 * (1 + 1) + 0.5 * (4 + 9), sums.LossSum);
        Assert.Equal(1, sums.Correct);

        var smoothed = EvaluationSums.FromLogits([2, 2], [1], 2, logitScale: 0.5, labelSmoothing: 0.5, squaredError: true);
        Assert.Equal(0.5 * (0.75 * 0.75 + 0.25 * 0.25), smoothed.LossSum);
    }

    [Fact]
    public void Parts_add_up_to_the_whole()
    {
        var (logits, labels) = Rows(0, 23);
        var whole = EvaluationSums.FromLogits(logits, labels, 10);
        var sum = EvaluationSums.Empty(10);
        foreach (var (first, count) in new[] { (0, 9), (9, 1), (10, 13) })
        {
            var part = Rows(first, count);
            sum = sum.Then(EvaluationSums.FromLogits(part.Logits, part.Labels, 10));
        }
        Assert.Equal((whole.Samples, whole.Correct, whole.Top5Correct), (sum.Samples, sum.Correct, sum.Top5Correct));
        Assert.Equal(whole.ClassCorrect, sum.ClassCorrect);
        Assert.Equal(whole.ClassSamples, sum.ClassSamples);
        Assert.Equal(whole.Loss, sum.Loss, 12);
        Assert.Equal(7 / 23.0, sum.Accuracy, 15);
        Assert.Equal(17 / 23.0, sum.Top5Accuracy, 15);
    }

    [Fact]
    public void Broken_logits_are_never_correct_and_show_in_the_loss()
    {
        // A search for the largest that starts at index 0 and compares with > would call the first row correct.
        var sums = EvaluationSums.FromLogits([float.NaN, 1, 2, 5, float.PositiveInfinity, 0, 3, 2, float.NegativeInfinity], [0, 1, 0], 3);
        Assert.Equal((3, 1, 1, 2), (sums.Samples, sums.Correct, sums.Top5Correct, sums.BrokenRows));
        Assert.True(double.IsNaN(sums.LossSum));
        var masked = EvaluationSums.FromLogits([3, 2, float.NegativeInfinity], [0], 3);
        Assert.Equal(Math.Log(1 + Math.Exp(-1)), masked.LossSum, 14);
    }

    [Fact]
    public void Of_equal_logits_the_first_class_wins()
    {
        var sums = EvaluationSums.FromLogits([1, 1, 0, 1, 1, 0], [0, 1], 3);
        Assert.Equal((1, 2), (sums.Correct, sums.Top5Correct));
        Assert.Equal([1L, 0, 0], sums.ClassCorrect);
    }

    [Fact]
    public void Labels_and_lengths_are_checked()
    {
        Assert.Throws<ArgumentException>(() => EvaluationSums.FromLogits(new float[6], [0, 3], 3));
        Assert.Throws<ArgumentException>(() => EvaluationSums.FromLogits(new float[6], [0, -1], 3));
        Assert.Throws<ArgumentException>(() => EvaluationSums.FromLogits(new float[5], [0, 1], 3));
    }
}
