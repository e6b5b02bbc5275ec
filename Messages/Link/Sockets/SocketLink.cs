using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>
/// A link over three sockets. Threads: control reader (it also tells the end), bulk reader; a control writer and a bulk writer
/// from the first time that they are needed; and a share of the process' one <see cref="HeartbeatThread"/>.
/// </summary>
internal sealed partial class SocketLink : ILink
{
    /// <summary>How long a broken bulk or sending side waits for the control reader to learn the reason from the peer.</summary>
    private static readonly TimeSpan ReasonGrace = TimeSpan.FromMilliseconds(60);

    /// <summary>Stacks of the link's threads: they call handlers, not deep recursions.</summary>
    private const int StackBytes = 512 * 1024;

    private readonly IChannel _control, _bulk, _beat;
    private readonly ILinkHandler _handler;
    private readonly LinkOptions _options;
    private readonly BulkQueue _bulkQueue;
    private readonly Lender _lender;

    /// <summary>Tensors may go over in memory that both processes map.</summary>
    private readonly bool _isSharing;

    /// <summary>Everybody who touches the sockets but the control reader, who waits for them before it closes; its own count keeps the event from ending early.</summary>
    private readonly CountdownEvent _others = new(1);

    private LinkClosure? _closure;
    private LinkClosure? _draining;
    private long _endAtTicks = long.MaxValue;
    private bool _bulkWriterRuns;

    public SocketLink(LinkHello peer, byte[] greeting, IChannel control, IChannel bulk, IChannel beat, ILinkHandler handler, LinkOptions options)
    {
        (Peer, Greeting) = (peer, greeting);
        (_control, _bulk, _beat) = (control, bulk, beat);
        (_handler, _options) = (handler, options);
        _bulkQueue = new BulkQueue(options.BulkQueueBytes, options.BackPressureLimit);
        _isSharing = bulk.CarriesDescriptors && options.AllowSharedMemory;
        _lender = new Lender(_isSharing, options.BulkQueueBytes);
    }

    public LinkHello Peer { get; }

    public ReadOnlyMemory<byte> Greeting { get; }

    public TimeSpan? RoundTrip => Clock.RoundTrip;

    public TimeSpan? ClockOffset => Clock.Offset;

    public LinkClosure? Closure => Volatile.Read(ref _closure);

    /// <summary>Written by the heartbeat thread.</summary>
    internal RoundTripEstimate Clock { get; } = new();

    internal IChannel Beat => _beat;

    internal LinkOptions Options => _options;

    public void Start() => StartThread("link control from " + Peer.Name, ReadControl);

    private static void StartThread(string name, ThreadStart work) => new Thread(work, StackBytes) { IsBackground = true, Name = name }.Start();

    public bool SendBulk(ushort type, ReadOnlySpan<byte> header, NativeBuffer payload, int firstFloat, int floats)
    {
        LinkArguments.CheckBulk(type, header, payload, firstFloat, floats);
        if (Closure is not null || Volatile.Read(ref _draining) is not null) return false;
        StartBulkWriter();
        var result = _bulkQueue.Add(new BulkItem(type, header.ToArray(), payload.Share(), firstFloat, floats));
        if (result == BulkQueue.Result.Queued) return true;
        payload.Dispose();
        if (result == BulkQueue.Result.TimedOut)
            End(new LinkClosure(LinkEnd.BackPressure, false, $"{Peer.Name} took no tensors for {_options.BackPressureLimit.TotalSeconds:0.###} s while {_options.BulkQueueBytes >> 20} MiB waited"));
        return false;
    }

    private void StartBulkWriter()
    {
        if (Volatile.Read(ref _bulkWriterRuns)) return;
        lock (_bulkQueue)
        {
            if (_bulkWriterRuns || !_others.TryAddCount()) return;
            Volatile.Write(ref _bulkWriterRuns, true);
            StartThread("link bulk to " + Peer.Name, WriteBulk);
        }
    }

    public void Close(LinkEnd end, string sentence)
    {
        var closure = new LinkClosure(end, false, sentence);
        if (end != LinkEnd.Finished)
        {
            End(closure);
            return;
        }
        if (Closure is not null || Interlocked.CompareExchange(ref _draining, closure, null) is not null) return;
        EndAt(_options.DrainLimit);
        _bulkQueue.Finish();
        AdvanceDrain();
    }

    /// <summary>
    /// Ends the link, once: the first reason stands. Says goodbye where that is possible without waiting, releases what is queued
    /// and wakes every thread. Any thread.
    /// </summary>
    private void End(LinkClosure closure)
    {
        // Counted, so that the sockets outlive this call.
        if (!_others.TryAddCount()) return;
        if (Interlocked.CompareExchange(ref _closure, closure, null) is null) Dismantle(closure);
        _others.Signal();
    }

    private void Dismantle(LinkClosure closure)
    {
        LinkTelemetry.Closed(closure.End);
        _bulkQueue.Abandon();
        _lender.End();
        if (closure is { ByPeer: false, End: not LinkEnd.Lost } && !_goodbyeSaid) TryGoodbye(closure);
        // The peer has written everything before its goodbye: the bulk reader goes on to the end of its stream.
        var gently = closure is { ByPeer: true, End: LinkEnd.Finished };
        _beat.Abort();
        if (gently) _control.FinishSending();
        else _control.Abort();
        if (gently) _bulk.FinishSending();
        else _bulk.Abort();
        lock (_gate) Monitor.PulseAll(_gate);
    }

    /// <summary>The heartbeat thread found the peer silent.</summary>
    internal void EndSilent(TimeSpan silentFor) =>
        End(new LinkClosure(LinkEnd.Silent, false, $"nothing was heard from {Peer.Name} for {silentFor.TotalMilliseconds:0} ms, {_options.Silence.TotalMilliseconds:0} are allowed"));

    /// <summary>The heartbeat thread found a damaged frame.</summary>
    internal void EndFaulty(FrameFault fault)
    {
        LinkTelemetry.FrameRefused(fault.End.ToString());
        End(new LinkClosure(fault.End, false, fault.Sentence));
    }

    /// <summary>One of the connections is gone. The control reader knows, or soon will, whether the peer said why; the heartbeat thread sees to it that this does not take for ever.</summary>
    private void LoseSoon() => EndAt(ReasonGrace);

    private void EndAt(TimeSpan limit)
    {
        var at = (HeartbeatThread.Now + limit).Ticks;
        for (var seen = Volatile.Read(ref _endAtTicks); at < seen;)
        {
            var before = Interlocked.CompareExchange(ref _endAtTicks, at, seen);
            if (before == seen) return;
            seen = before;
        }
    }

    /// <summary>Called on the heartbeat thread, every beat.</summary>
    internal void Tick(TimeSpan now)
    {
        if (now.Ticks < Volatile.Read(ref _endAtTicks)) return;
        End(Volatile.Read(ref _draining) ?? Lost("a connection ended"));
    }

    private LinkClosure Lost(string what) => new(LinkEnd.Lost, false, $"{Peer.Name} is gone: {what}");

    /// <summary>The heartbeat thread has let go of the link.</summary>
    internal void HeartbeatLeft() => _others.Signal();

    private void HandlerFailed(Exception e) =>
        End(new LinkClosure(LinkEnd.HandlerFailed, false, $"the receiver of {Peer.Name}'s frames failed: {e.GetType().Name}: {e.Message}", e));

    /// <summary>End of the control reader: waits for the others, closes the sockets, tells the end.</summary>
    private void Finish()
    {
        _others.Signal();
        if (!_others.Wait(_options.DrainLimit))
        {
            _bulk.Abort();
            _others.Wait();
        }
        // Whoever is sending has seen the end, or has left the gate.
        lock (_gate) _control.Dispose();
        _bulk.Dispose();
        _beat.Dispose();
        _handler.Closed(this, Closure!);
    }
}
