using Cluster.Contracts;

namespace Cluster.Link;

internal sealed partial class SocketLink
{
    private readonly object _gate = new();

    // All below under the gate.
    private readonly Queue<(byte[] Bytes, int Skip)> _waiting = new();
    private byte[] _frame = GC.AllocateUninitializedArray<byte>(4096, pinned: true);
    private long _waitingBytes;
    private int _waitingFrames;
    private bool _writing, _controlWriterRuns, _goodbyeSaid, _sendingFinished;
    private LinkClosure? _overflow;

    public bool SendControl(ushort type, ReadOnlySpan<byte> body)
    {
        LinkArguments.CheckControl(type, body);
        bool isTaken;
        lock (_gate)
        {
            if (_closure is not null || _draining is not null) return false;
            isTaken = SendFrame(type, body);
        }
        EndIfOverflown();
        return isTaken;
    }

    /// <summary>Outside the gate: what an end releases may belong to another link, and that link's gate must not be wanted under ours.</summary>
    private void EndIfOverflown()
    {
        if (Volatile.Read(ref _overflow) is { } overflow) End(overflow);
    }

    /// <summary>Under the gate: writes a control frame now if nothing is before it, else queues it.</summary>
    private unsafe bool SendFrame(ushort type, ReadOnlySpan<byte> body)
    {
        var bytes = Frame.FixedBytes + body.Length + Frame.TrailerBytes;
        if (_frame.Length < bytes) _frame = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
        Frame.Write(_frame, Lane.Control, type, body);
        nint sent = 0;
        if (_waitingFrames == 0 && !_writing)
        {
            fixed (byte* start = _frame) sent = _control.TrySend([new Segment(start, (nuint)bytes)]);
            if (sent < 0)
            {
                LoseSoon();
                return false;
            }
            // What the channel keeps is the writer's to flush: it then has a frame of which nothing is left.
            if (sent == bytes && !_control.HasUnsent)
            {
                LinkTelemetry.Sent(Lane.Control, bytes);
                return true;
            }
        }
        if (_waitingFrames >= Limits.LinkControlQueueFrames || _waitingBytes + bytes > Limits.LinkControlQueueBytes)
        {
            _overflow ??= new LinkClosure(LinkEnd.ControlOverflow, false, $"{Peer.Name} does not read: {_waitingFrames} control messages of {_waitingBytes} bytes wait for it");
            return false;
        }
        _waiting.Enqueue((_frame.AsSpan(0, bytes).ToArray(), (int)sent));
        _waitingBytes += bytes;
        _waitingFrames++;
        if (_controlWriterRuns) Monitor.PulseAll(_gate);
        else if (_others.TryAddCount())
        {
            _controlWriterRuns = true;
            StartThread("link control to " + Peer.Name, WriteControl);
        }
        return true;
    }

    /// <summary>Writes what the senders could not. Lives until the link ends.</summary>
    private void WriteControl()
    {
        for (; ; )
        {
            (byte[] Bytes, int Skip) next;
            lock (_gate)
            {
                while (_waiting.Count == 0 && _closure is null) Monitor.Wait(_gate);
                if (_closure is not null) break;
                next = _waiting.Dequeue();
                _writing = true;
            }
            var alive = Write(_control, next.Bytes.AsSpan(next.Skip));
            lock (_gate)
            {
                _writing = false;
                _waitingBytes -= next.Bytes.Length;
                _waitingFrames--;
            }
            if (!alive)
            {
                LoseSoon();
                break;
            }
            LinkTelemetry.Sent(Lane.Control, next.Bytes.Length);
            AdvanceDrain();
        }
        _others.Signal();
    }

    private static unsafe bool Write(IChannel channel, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            Span<Segment> segment = [new Segment(start, (nuint)bytes.Length)];
            return channel.SendAll(segment);
        }
    }

    /// <summary>A link that is to finish: when everything is written, the goodbye; when that is written, the end of our streams. The peer's end then ends ours.</summary>
    private void AdvanceDrain()
    {
        lock (_gate) FinishSendingWhenWritten();
        EndIfOverflown();
    }

    private void FinishSendingWhenWritten()
    {
        if (_draining is null || _closure is not null || _sendingFinished || !_bulkQueue.IsEmpty) return;
        if (!_goodbyeSaid)
        {
            _goodbyeSaid = true;
            SendFrame(FrameTypes.Goodbye, GoodbyeBody(_draining));
        }
        if (_waitingFrames > 0) return;
        _sendingFinished = true;
        _control.FinishSending();
        _bulk.FinishSending();
    }

    /// <summary>The reason for an end that does not wait: written if the stream is between two frames and has room.</summary>
    private unsafe void TryGoodbye(LinkClosure closure)
    {
        lock (_gate)
        {
            if (_waitingFrames > 0 || _writing) return;
            var body = GoodbyeBody(closure);
            var bytes = new byte[Frame.FixedBytes + body.Length + Frame.TrailerBytes];
            Frame.Write(bytes, Lane.Control, FrameTypes.Goodbye, body);
            fixed (byte* start = bytes) _control.TrySend([new Segment(start, (nuint)bytes.Length)]);
        }
    }

    private static byte[] GoodbyeBody(LinkClosure closure) => [(byte)closure.End, .. HandshakeCodec.WriteSentence(closure.Sentence)];

    private void ReadControl()
    {
        try
        {
            _handler.Opened(this);
            _others.AddCount(2);
            StartThread("link bulk from " + Peer.Name, ReadBulk);
            HeartbeatThread.Instance.Join(this);
            ReadControlFrames();
        }
        catch (Exception e)
        {
            HandlerFailed(e);
        }
        Finish();
    }

    private void ReadControlFrames()
    {
        var reader = new FrameReader(_control, Lane.Control);
        while (Closure is null)
        {
            switch (reader.Next(out var frame, out var body, out var fault))
            {
                case FrameReader.Result.Fault:
                    LinkTelemetry.FrameRefused(fault!.End.ToString());
                    End(new LinkClosure(fault.End, false, fault.Sentence));
                    return;
                case FrameReader.Result.End:
                    End(Volatile.Read(ref _draining) ?? Lost(reader.InFrame ? "the control connection ended in the middle of a frame" : "the control connection ended"));
                    return;
            }
            LinkTelemetry.Received(Lane.Control, frame.TotalBytes);
            if (frame.Type < Limits.LinkReservedTypes)
            {
                _handler.Control(this, frame.Type, body);
                continue;
            }
            if (frame.Type is FrameTypes.Mapped or FrameTypes.Returned && _isSharing && HearShared(frame.Type, body)) continue;
            if (frame.Type == FrameTypes.Goodbye && body.Length > 0 && Enum.IsDefined((LinkEnd)body[0]))
                End(new LinkClosure((LinkEnd)body[0], true, HandshakeCodec.ReadSentence(body[1..])));
            else
                End(new LinkClosure(LinkEnd.Protocol, false, $"{Peer.Name} sent a control frame of type 0x{frame.Type:x4} that means nothing here"));
            return;
        }
    }
}
