using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>
/// Notices that this whole process stood still (stopped, swapped out, starved, its machine suspended) and says so as soon as it goes on:
/// what others then say of it, and it of them, has this cause. A thread of its own, which waits for nothing: a long message of
/// an actor is no pause.
/// </summary>
internal sealed class PauseWatch : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(Limits.PauseLookMilliseconds), Least = TimeSpan.FromMilliseconds(Limits.PauseMilliseconds);

    private readonly TimeProvider _time;
    private readonly Action<string> _say;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    /// <param name="say">Hears a sentence; the watch's thread.</param>
    public PauseWatch(TimeProvider time, Action<string> say)
    {
        (_time, _say) = (time, say);
        _thread = new Thread(Run) { IsBackground = true, Name = "pause watch" };
        _thread.Start();
    }

    /// <summary>What there is to say about a gap between two looks; null = nothing.</summary>
    public static string? SentenceOf(TimeSpan gap) => gap - Every < Least
        ? null
        : $"The coordinator stood still for {(gap - Every).TotalSeconds:0.0} s (stopped, or its machine was): links that nodes gave up meanwhile are its own doing.";

    private void Run()
    {
        for (var last = _time.GetTimestamp(); !_stop.Wait(Every);)
        {
            var now = _time.GetTimestamp();
            if (SentenceOf(_time.GetElapsedTime(last, now)) is { } sentence) _say(sentence);
            last = now;
        }
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }
}
