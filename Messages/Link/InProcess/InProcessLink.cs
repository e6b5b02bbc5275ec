using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>
/// One end of a link within a process: the same promises as over sockets, with references in place of bytes. Its threads
/// deliver what the other end queued: control, bulk; the control one also tells the end.
/// </summary>
internal sealed class InProcessLink : ILink
{
    private readonly ILinkHandler _handler;
    private readonly LinkOptions _options;
    private readonly BulkQueue _bulkOut;
    private readonly Queue<(ushort Type, byte[] Body)> _controlOut = new();
    private readonly CountdownEvent _bulkReader = new(1);
    private InProcessLink? _other;
    private long _controlBytes;
    private LinkClosure? _draining, _closure;

    private InProcessLink(LinkHello peer, ReadOnlyMemory<byte> greeting, ILinkHandler handler, LinkOptions options)
    {
        (Peer, Greeting, _handler, _options) = (peer, greeting, handler, options);
        _bulkOut = new BulkQueue(options.BulkQueueBytes, options.BackPressureLimit);
    }

    public static (InProcessLink Near, InProcessLink Far) Pair(
        (LinkHello Peer, ReadOnlyMemory<byte> Greeting, ILinkHandler Handler, LinkOptions Options) near,
        (LinkHello Peer, ReadOnlyMemory<byte> Greeting, ILinkHandler Handler, LinkOptions Options) far)
    {
        var one = new InProcessLink(near.Peer, near.Greeting, near.Handler, near.Options);
        var two = new InProcessLink(far.Peer, far.Greeting, far.Handler, far.Options) { _other = one };
        one._other = two;
        return (one, two);
    }

    public LinkHello Peer { get; }

    public ReadOnlyMemory<byte> Greeting { get; }

    public TimeSpan? RoundTrip => TimeSpan.Zero;

    public TimeSpan? ClockOffset => TimeSpan.Zero;

    public LinkClosure? Closure => Volatile.Read(ref _closure);

    private InProcessLink Other => _other!;

    public void Start() => new Thread(ReadControl) { IsBackground = true, Name = "link control from " + Peer.Name }.Start();

    public bool SendControl(ushort type, ReadOnlySpan<byte> body)
    {
        LinkArguments.CheckControl(type, body);
        lock (_controlOut)
        {
            if (_closure is not null || _draining is not null) return false;
            if (_controlOut.Count < Limits.LinkControlQueueFrames && _controlBytes + body.Length <= Limits.LinkControlQueueBytes)
            {
                _controlOut.Enqueue((type, body.ToArray()));
                _controlBytes += body.Length;
                Monitor.PulseAll(_controlOut);
                return true;
            }
        }
        End(new LinkClosure(LinkEnd.ControlOverflow, false, $"{Peer.Name} does not read: {Limits.LinkControlQueueFrames} control messages or {Limits.LinkControlQueueBytes} bytes wait for it"));
        return false;
    }

    public bool SendBulk(ushort type, ReadOnlySpan<byte> header, NativeBuffer payload, int firstFloat, int floats)
    {
        LinkArguments.CheckBulk(type, header, payload, firstFloat, floats);
        if (Closure is not null || Volatile.Read(ref _draining) is not null) return false;
        var result = _bulkOut.Add(new BulkItem(type, header.ToArray(), payload.Share(), firstFloat, floats));
        if (result == BulkQueue.Result.Queued) return true;
        payload.Dispose();
        if (result == BulkQueue.Result.TimedOut)
            End(new LinkClosure(LinkEnd.BackPressure, false, $"{Peer.Name} took no tensors for {_options.BackPressureLimit.TotalSeconds:0.###} s while {_options.BulkQueueBytes >> 20} MiB waited"));
        return false;
    }

    public void Close(LinkEnd end, string sentence)
    {
        var closure = new LinkClosure(end, false, sentence);
        if (end != LinkEnd.Finished)
        {
            End(closure);
            return;
        }
        lock (_controlOut)
        {
            if (_closure is not null || _draining is not null) return;
            _draining = closure;
            _bulkOut.Finish();
            Monitor.PulseAll(_controlOut);
        }
    }

    /// <summary>Ends both ends: this one for its reason, the other for what this one says.</summary>
    private void End(LinkClosure closure)
    {
        EndHere(closure);
        Other.EndHere(closure with { ByPeer = true, Cause = null });
    }

    private void EndHere(LinkClosure closure)
    {
        if (Interlocked.CompareExchange(ref _closure, closure, null) is not null) return;
        LinkTelemetry.Closed(closure.End);
        _bulkOut.Abandon();
        foreach (var link in new[] { this, Other })
        {
            lock (link._controlOut) Monitor.PulseAll(link._controlOut);
        }
    }

    private void ReadControl()
    {
        try
        {
            _handler.Opened(this);
            new Thread(ReadBulk) { IsBackground = true, Name = "link bulk from " + Peer.Name }.Start();
        }
        catch (Exception e)
        {
            HandlerFailed(e);
            _bulkReader.Signal();
        }
        try
        {
            while (Take() is { } message) _handler.Control(this, message.Type, message.Body);
        }
        catch (Exception e)
        {
            HandlerFailed(e);
        }
        // The other end has finished: what it wrote before is delivered before the end is told.
        if (Closure is null && !_bulkReader.Wait(_options.DrainLimit)) Other._bulkOut.Abandon();
        if (Closure is null) Other.End(Other._draining!);
        // Nobody adds any more; what no thread has taken is released.
        Other._bulkOut.Abandon();
        _bulkReader.Wait();
        _bulkReader.Dispose();
        _handler.Closed(this, Closure!);
    }

    /// <summary>The next message of the other end; null when this end is closed, or the other has finished and everything is taken.</summary>
    private (ushort Type, byte[] Body)? Take()
    {
        var queue = Other._controlOut;
        lock (queue)
        {
            for (; ; )
            {
                if (Closure is not null) return null;
                if (queue.TryDequeue(out var message))
                {
                    Other._controlBytes -= message.Body.Length;
                    LinkTelemetry.Received(Lane.Control, message.Body.Length);
                    return message;
                }
                if (Other._draining is not null) return null;
                Monitor.Wait(queue);
            }
        }
    }

    private void ReadBulk()
    {
        try
        {
            while (Other._bulkOut.Take() is { } item)
            {
                try
                {
                    Deliver(item);
                }
                finally
                {
                    item.Payload.Dispose();
                    Other._bulkOut.Done(item);
                }
            }
        }
        catch (Exception e)
        {
            HandlerFailed(e);
        }
        _bulkReader.Signal();
    }

    private void Deliver(BulkItem item)
    {
        var target = _handler.Bulk(this, new BulkOffer(item.Type, item.Header, item.Floats, item.Payload, item.First));
        LinkArguments.CheckTarget(target, item.Floats, shared: true);
        if (target.Refusal is { } reason)
        {
            LinkTelemetry.FrameRefused(reason);
            return;
        }
        if (target.WantsReference) target = target.Resolved(item.Payload.Share(), item.First);
        else item.Payload.Span.Slice(item.First, item.Floats).CopyTo(target.Buffer!.Span[target.First..]);
        LinkTelemetry.Received(Lane.Bulk, item.Bytes);
        _handler.BulkArrived(this, new BulkArrival(item.Type, item.Header, target, item.Floats));
    }

    private void HandlerFailed(Exception e) =>
        End(new LinkClosure(LinkEnd.HandlerFailed, false, $"the receiver of {Peer.Name}'s frames failed: {e.GetType().Name}: {e.Message}", e));
}
