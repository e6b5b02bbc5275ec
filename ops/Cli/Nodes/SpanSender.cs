using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Cli.Nodes;

/// <summary>Sends the spans of this process to the coordinator, in messages that fit its control lane; keeps the newest ones while it is away.</summary>
internal sealed class SpanSender : IDisposable
{
    /// <summary>Spans that wait for a coordinator that is away: half a minute of small steps, some 4 MB.</summary>
    private const int MaxWaiting = 8_192;

    private readonly Func<object, bool> _send;
    private readonly Queue<SpanRecord> _waiting = new();
    private readonly SpanRecorder? _recorder;
    private long _droppedHere;

    private SpanSender(Func<object, bool> send)
    {
        _send = send;
        _recorder = SpanRecorder.Start(Take);
    }

    /// <returns>Ends it; null when there is nothing to send.</returns>
    public static IDisposable? Start(string runId, string name, RunOptions run, Func<object, bool> send)
    {
        _ = (runId, name, run);
        var sender = new SpanSender(send);
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
        while (_waiting.Count > 0)
        {
            var next = SpanBatches.Next(_waiting);
            if (!_send(new SpanBatch(next, batch.Dropped + _droppedHere))) return;
            for (var i = 0; i < next.Count; i++) _waiting.Dequeue();
        }
    }

    /// <summary>Sends what has ended by now.</summary>
    public void Dispose() => _recorder?.Dispose();
}
