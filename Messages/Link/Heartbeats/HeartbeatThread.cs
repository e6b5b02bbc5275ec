using System.Collections.Concurrent;
using System.Diagnostics;

namespace Cluster.Link;

/// <summary>
/// Sends and reads the heartbeats of all links of this process, on one thread that does nothing else: no handler, no
/// blocking write, no lock that a handler holds. So neither native compute nor a burst of tensors nor a slow handler delays it.
/// </summary>
internal sealed class HeartbeatThread
{
    private static readonly Lazy<HeartbeatThread> Lazy = new(() => new HeartbeatThread());

    private readonly ConcurrentQueue<SocketLink> _joining = new();
    private readonly List<Peer> _peers = [];
    private NativeMethods.PollDescriptor[] _descriptors = new NativeMethods.PollDescriptor[16];

    private HeartbeatThread() => new Thread(Run) { IsBackground = true, Name = "link heartbeats", Priority = ThreadPriority.Highest }.Start();

    public static HeartbeatThread Instance => Lazy.Value;

    /// <summary>Monotonic.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>The link's heartbeats begin; they end by themselves with the link (<see cref="SocketLink.HeartbeatLeft"/>).</summary>
    public void Join(SocketLink link) => _joining.Enqueue(link);

    private void Run()
    {
        // The run-time ignores thread priorities on Linux, so the niceness is set by system call: of the calling thread (0), and refused
        // to the unprivileged, who keep the default; a thread that mostly sleeps is scheduled soon even so.
        _ = NativeMethods.SetPriority(0, 0, -10);
        var now = Now;
        var clock = AttentionClock.StartingAt(now);
        var nextBeat = now;
        // Until a link joins there is nothing to look at; its first beat is at most this late.
        var every = LinkOptions.Default.HeartbeatEvery;
        for (; ; )
        {
            now = Now;
            var late = now - nextBeat;
            var isBeat = late >= TimeSpan.Zero;
            clock = clock.Look(now, every, SilenceDetector.PauseTolerance);
            if (isBeat && _peers.Count > 0) LinkTelemetry.HeartbeatDelay(late);
            while (_joining.TryDequeue(out var link))
            {
                _peers.Add(new Peer(link, clock));
                every = _peers.Min(p => p.Link.Options.HeartbeatEvery);
                isBeat = true;
            }
            // Read first: what came while we were away has been heard.
            foreach (var peer in _peers) peer.Read(clock);
            foreach (var peer in _peers) peer.Judge(clock, now);
            if (isBeat)
            {
                foreach (var peer in _peers) peer.Send();
                nextBeat = now + every;
            }
            _peers.RemoveAll(peer => peer.HasLeft());
            Wait(nextBeat - Now);
        }
    }

    private unsafe void Wait(TimeSpan limit)
    {
        if (_descriptors.Length < _peers.Count) _descriptors = new NativeMethods.PollDescriptor[2 * _peers.Count];
        var count = 0;
        foreach (var peer in _peers)
        {
            if (peer.IsReadable) _descriptors[count++] = new NativeMethods.PollDescriptor { Descriptor = peer.Link.Beat.Descriptor, Wanted = NativeMethods.PollIn };
        }
        var milliseconds = (int)Math.Max(0, Math.Ceiling(limit.TotalMilliseconds));
        fixed (NativeMethods.PollDescriptor* first = _descriptors) _ = NativeMethods.Poll(first, (nuint)count, milliseconds);
    }

    /// <summary>One link's heartbeats; only the heartbeat thread touches it.</summary>
    private sealed class Peer(SocketLink link, AttentionClock clock)
    {
        private const int FrameBytes = Frame.FixedBytes + Heartbeat.Bytes + Frame.TrailerBytes;

        private readonly byte[] _in = new byte[16 * FrameBytes];
        private readonly byte[] _out = GC.AllocateArray<byte>(FrameBytes, pinned: true);
        private SilenceDetector _silence = SilenceDetector.Heard(clock);
        private int _filled;
        private TimeSpan _echo, _echoCame;

        public SocketLink Link { get; } = link;

        /// <summary>False after the end of the stream, which would else be reported by every poll.</summary>
        public bool IsReadable { get; private set; } = true;

        public void Read(AttentionClock clock)
        {
            while (IsReadable && Link.Closure is null)
            {
                var got = Link.Beat.TryReceive(_in.AsSpan(_filled));
                if (got == 0) return;
                if (got < 0)
                {
                    // The control connection ends too, or the silence tells.
                    IsReadable = false;
                    return;
                }
                _filled += (int)got;
                var start = 0;
                for (; _filled - start >= FrameBytes; start += FrameBytes)
                {
                    if (Hear(_in.AsSpan(start, FrameBytes)) is { } fault)
                    {
                        Link.EndFaulty(fault);
                        return;
                    }
                    _silence = SilenceDetector.Heard(clock);
                }
                _in.AsSpan(start, _filled - start).CopyTo(_in);
                _filled -= start;
                if (_filled >= Frame.FixedBytes && Frame.Read(_in, Lane.Heartbeat, out _) is { } early)
                {
                    Link.EndFaulty(early);
                    return;
                }
            }
        }

        private FrameFault? Hear(ReadOnlySpan<byte> bytes)
        {
            if (Frame.Read(bytes, Lane.Heartbeat, out var frame) is { } fault) return fault;
            if (frame.TotalBytes != FrameBytes || frame.Type != FrameTypes.Heartbeat) return new(LinkEnd.Protocol, "something other than a heartbeat came over the heartbeat connection");
            if (!Frame.IsWhole(bytes)) return frame.Damaged();
            if (!Heartbeat.TryRead(bytes.Slice(Frame.FixedBytes, Heartbeat.Bytes), out var beat)) return new(LinkEnd.Protocol, "a heartbeat cannot be read");
            var now = Now;
            if (Link.Clock.Add(beat, now, DateTime.UtcNow) is { } roundTrip) LinkTelemetry.RoundTrip(roundTrip);
            (_echo, _echoCame) = (beat.Sent, now);
            LinkTelemetry.Received(Lane.Heartbeat, FrameBytes);
            return null;
        }

        public void Judge(AttentionClock clock, TimeSpan now)
        {
            if (Link.Closure is not null) return;
            if (_silence.IsSilent(clock, Link.Options.Silence)) Link.EndSilent(_silence.SilentFor(clock));
            else Link.Tick(now);
        }

        public unsafe void Send()
        {
            if (Link.Closure is not null) return;
            var now = Now;
            Span<byte> body = stackalloc byte[Heartbeat.Bytes];
            new Heartbeat(now, _echo, _echo == TimeSpan.Zero ? TimeSpan.Zero : now - _echoCame, DateTime.UtcNow).Write(body);
            Frame.Write(_out, Lane.Heartbeat, FrameTypes.Heartbeat, body);
            fixed (byte* start = _out)
            {
                // Full: the peer has not read for thousands of beats, so it is silent itself. A frame that fits in part only cannot happen
                // on an else empty buffer, and ends the link by its own checksum if it does.
                if (Link.Beat.TrySend([new Segment(start, FrameBytes)]) == FrameBytes) LinkTelemetry.Sent(Lane.Heartbeat, FrameBytes);
            }
        }

        /// <summary>True once, when the link has ended: it may then close its sockets.</summary>
        public bool HasLeft()
        {
            if (Link.Closure is null) return false;
            Link.HeartbeatLeft();
            return true;
        }
    }
}
