using Cluster.Cli.Display;
using Cluster.Cli.Hosting;

namespace Cluster.Cli.Tests.Display;

public sealed class PlainDisplaySpecs : IDisposable
{
    private readonly StringWriter _output = new();

    public void Dispose() => _output.Dispose();
    private readonly ManualClock _clock = new();

    private string[] Lines => _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static TrainingProgress At(long step, long total = 1000) =>
        new(step, total, 0, step / 100.0, 2.3, 0.1234, 0.05, 1.5, 812.3, TimeSpan.FromSeconds(step), TimeSpan.FromSeconds(3671));

    [Fact]
    public void A_line_holds_step_epoch_loss_accuracy_rate_speed_and_the_time_left()
    {
        new PlainDisplay(_output, _clock).Committed(At(1));
        Assert.Equal("step 1/1000  epoch 0.01  loss 2.3000  accuracy 12.34 %  lr 0.0500  812 images/s  ETA 1:01:11", Assert.Single(Lines));
    }

    [Theory]
    [InlineData(0.01, 1)]    // 10 s of tiny steps: only the first line and each full second's after ten steps
    [InlineData(0.5, 10)]
    [InlineData(30, 1)]
    public void Lines_are_at_most_one_in_five_seconds_or_one_in_ten_steps(double secondsPerStep, int stepsBetweenAtLeast)
    {
        var display = new PlainDisplay(_output, _clock);
        for (var step = 1; step < 1000; step++)
        {
            display.Committed(At(step));
            _clock.Advance(TimeSpan.FromSeconds(secondsPerStep));
        }
        var printed = Lines.Select(line => int.Parse(line.Split(' ', '/')[1])).ToList();
        Assert.Equal(1, printed[0]);
        Assert.True(printed.Count > 1);
        Assert.All(printed.Zip(printed.Skip(1)), pair =>
        {
            Assert.True(pair.Second - pair.First >= stepsBetweenAtLeast);
            Assert.True((pair.Second - pair.First) * secondsPerStep >= 0.999, "more than one line a second");
        });
    }

    [Fact]
    public void The_last_step_is_always_shown()
    {
        var display = new PlainDisplay(_output, _clock);
        display.Committed(At(1, 3));
        display.Committed(At(2, 3));
        display.Committed(At(3, 3));
        Assert.Equal(["step 1/3", "step 3/3"], Lines.Select(line => line.Split("  ")[0]));
    }

    [Fact]
    public void The_very_last_line_is_the_hash()
    {
        var display = new PlainDisplay(_output, _clock);
        display.Finished(new TrainingSummary(294, 3, "0123abcd", 780, 1.2, new EvaluationResult(294, 0.6, 0.8163, 0.99, 10_000), TimeSpan.FromSeconds(192)), "/tmp/run");
        Assert.Equal("state sha256 0123abcd", Lines[^1]);
        Assert.Contains(Lines, line => line.Contains("81.63 %") && line.Contains("3:12"));
    }

    [Fact]
    public void What_is_said_stays_on_one_line()
    {
        new PlainDisplay(_output, _clock).Said("worker-1 was lost\nin backward");
        Assert.Equal("worker-1 was lost in backward", Assert.Single(Lines));
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
