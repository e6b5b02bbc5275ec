using Cluster.Cli.Display;
using Cluster.Cli.Hosting;
using Spectre.Console;

namespace Cluster.Cli.Tests.Display;

public sealed class TerminalDisplaySpecs : IDisposable
{
    private readonly StringWriter _output = new();

    public void Dispose() => _output.Dispose();

    private TerminalDisplay Display(int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(_output) });
        console.Profile.Width = width;
        return new TerminalDisplay(console, TimeProvider.System);
    }

    private static TrainingProgress At(long step) =>
        new(step, 10, 0, step / 10.0, 2.3, 0.1234, 0.05, 1.5, 812.3, TimeSpan.FromSeconds(step), TimeSpan.FromSeconds(10 - step));

    private static TrainingSummary Summary => new(10, 1, new string('a', 64), 780, 1.2, new EvaluationResult(10, 0.6, 0.8163, 0.99, 10_000), TimeSpan.FromSeconds(12));

    [Fact]
    public async Task The_last_state_and_every_sentence_are_on_the_screen_when_the_job_ends()
    {
        await Display(100).ShowAsync(observer =>
        {
            observer.Said("worker-1 joined [late]");
            for (var step = 1; step <= 10; step++) observer.Committed(At(step));
            observer.Evaluated(Summary.Test!);
            return Task.FromResult(Summary);
        });
        var text = _output.ToString();
        Assert.Contains("worker-1 joined [late]", text);
        Assert.Contains("100 %  step 10/10", text);
        Assert.Contains("test at step 10: accuracy 81.63 %", text);
    }

    [Fact]
    public async Task An_exception_of_the_job_comes_through()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => Display(80).ShowAsync(_ => throw new TimeoutException()));
        await Assert.ThrowsAsync<OperationCanceledException>(() => Display(80).ShowAsync(_ => Task.FromException<TrainingSummary>(new OperationCanceledException())));
    }

    [Theory]
    [InlineData(120)]
    [InlineData(40)]
    public void The_last_line_is_the_whole_hash_even_on_a_narrow_terminal(int width)
    {
        Display(width).Finished(Summary, "/tmp/run");
        Assert.Equal("state sha256 " + new string('a', 64), _output.ToString().TrimEnd('\n').Split('\n')[^1]);
    }
}
