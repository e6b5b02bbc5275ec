using System.Threading.Channels;
using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>Hears a supervisor; every wait has a limit and fails with what was heard.</summary>
internal sealed class RecordingObserver : ISupervisorObserver
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<string> _news = Channel.CreateUnbounded<string>();
    private readonly List<string> _heard = [];

    public IReadOnlyList<string> Heard
    {
        get { lock (_heard) return [.. _heard]; }
    }

    public void Line(string child, bool isError, string text) => Hear($"{child}{(isError ? "!" : ":")} {text}");

    public void Said(string? child, string sentence) => Hear($"said {sentence}");

    public void Started(string child, int process) => Hear($"started {child} {process}");

    public void Exited(string child, int process, ChildEnd end) => Hear($"exited {child} {process} {end.Code} {(Signals.Exists(process) ? "there" : "gone")}");

    /// <summary>The next thing heard that begins so; what was heard before it is passed.</summary>
    public async Task<string> NextAsync(string beginning)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await foreach (var news in _news.Reader.ReadAllAsync(limit.Token))
                if (news.StartsWith(beginning, StringComparison.Ordinal)) return news;
        }
        catch (OperationCanceledException)
        {
            // Said below.
        }
        throw new InvalidOperationException($"'{beginning}' was not heard in {Patience}, but: {string.Join(" | ", Heard)}");
    }

    public async Task<SupervisorResult> EndOf(Task<SupervisorResult> run)
    {
        try
        {
            return await run.WaitAsync(Patience);
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"the run did not end in {Patience}: {string.Join(" | ", Heard)}", e);
        }
    }

    private void Hear(string what)
    {
        lock (_heard) _heard.Add(what);
        _news.Writer.TryWrite(what);
    }
}
