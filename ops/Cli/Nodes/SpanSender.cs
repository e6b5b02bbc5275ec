using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Cli.Nodes;

/// <summary>
/// Sends the spans of this process to the coordinator, in messages that fit its control lane. While it is away the newest
/// ones are kept; to the next one the last seconds are told once more, since what the one before had not written yet is
/// gone with it. Who has them already knows them by their ids.
/// </summary>
internal sealed class SpanSender : IDisposable
{
    /// <summary>Spans that wait for a coordinator that is away: half a minute of small steps, some 4 MB.</summary>
    private const int MaxWaiting = 8_192;

    /// <summary>Spans that are kept after they were sent, and for how long: a coordinator writes twenty times a second unless its machine is starved.</summary>
    private const int MaxSent = 4_096;
    private static readonly TimeSpan Keep = TimeSpan.FromSeconds(10);

    private readonly Func<object, bool> _send;
    private readonly Func<object?> _link;
    private readonly Queue<SpanRecord> _waiting = new();
    private readonly Queue<(SpanRecord Span, long At)> _sent = new();
    private readonly SpanRecorder? _recorder;
    private object? _lastLink;
    private long _dropped;
    private long _droppedHere;

    private SpanSender(Func<object, bool> send, Func<object?> link)
    {
        _send = send;
        _link = link;
        _recorder = SpanRecorder.Start(Take);
    }

    /// <param name="send">False when the coordinator is away.</param>
    /// <param name="link">Another object after another dial.</param>
    /// <returns>Ends it; null when there is nothing to send.</returns>
    public static IDisposable? Start(Func<object, bool> send, Func<object?> link)
    {
        var sender = new SpanSender(send, link);
        return sender._recorder is null ? null : sender;
    }

    /// <summary>On the recorder's thread alone.</summary>
    private void Take(SpanBatch batch)
    {
        foreach (var span in batch.Spans) _waiting.Enqueue(span);
        while (_waiting.Count > MaxWaiting)
        {
            _waiting.Dequeue();
            _droppedHere++;
        }
        _dropped = batch.Dropped;
        Flush();
    }

    private void Flush()
    {
        if (_link() is not { } link) return;
        if (_lastLink is not null && link != _lastLink) TellAgain();
        _lastLink = link;
        while (_sent.TryPeek(out var oldest) && (_sent.Count > MaxSent || TimeProvider.System.GetElapsedTime(oldest.At) > Keep)) _sent.Dequeue();
        while (_waiting.Count > 0)
        {
            var next = SpanBatches.Next(_waiting);
            if (!_send(new SpanBatch(next, _dropped + _droppedHere))) return;
            var now = TimeProvider.System.GetTimestamp();
            foreach (var span in next)
            {
                _waiting.Dequeue();
                _sent.Enqueue((span, now));
            }
        }
    }

    private void TellAgain()
    {
        SpanRecord[] all = [.. _sent.Select(static s => s.Span), .. _waiting];
        _sent.Clear();
        _waiting.Clear();
        foreach (var span in all) _waiting.Enqueue(span);
    }

    /// <summary>Sends what has ended by now.</summary>
    public void Dispose()
    {
        _recorder?.Dispose();
        // Its thread has ended; what waited for the coordinator may find it back.
        Flush();
    }
}
