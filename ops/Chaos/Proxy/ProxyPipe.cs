using System.Buffers;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Chaos.Proxy;

/// <summary>
/// One direction of one connection: reads, damages, delays, and writes at the rate allowed. Undisturbed, bytes pass from one
/// socket to the other without a copy of their own. Loop thread.
/// </summary>
internal sealed class ProxyPipe
{
    /// <summary>How long half a pair of segments waits for the other half.</summary>
    private static readonly TimeSpan LongestHold = TimeSpan.FromMilliseconds(10);

    /// <summary>Keeps the draws of delays apart from the mangler's, which number their streams from 0.</summary>
    private const uint JitterStream = 0x8000_0000;

    private readonly SafeSocketHandle _from, _to;
    private readonly FlowState _flow;
    private readonly ulong _seed, _stream;
    private readonly SegmentQueue _queue = new();
    private readonly StreamMangler _mangler;
    private readonly ArrayBufferWriter<byte> _mangled = new();
    private readonly List<ArmedDamage> _striking = [];
    private TimeSpan _heldUntil = TimeSpan.MaxValue;
    private bool _sourceEnded, _noRoom;
    private ulong _segments;

    public ProxyPipe(SafeSocketHandle from, SafeSocketHandle to, FlowState flow, Flow direction, ulong seed, int connection, Action<Damage> told)
    {
        (_from, _to, _flow, _seed) = (from, to, flow, seed);
        _stream = ((ulong)connection << 1) | (uint)direction;
        _mangler = new StreamMangler(seed, _stream, damage =>
        {
            told(damage);
            if (_striking.FindIndex(s => s.Kind == damage.Kind) is var i and >= 0)
            {
                _striking[i].Done.TrySetResult(damage);
                _striking.RemoveAt(i);
            }
        });
    }

    public enum Status
    {
        Open,

        /// <summary>The source has ended, everything is passed on, and so is the end.</summary>
        Ended,

        /// <summary>A socket is broken.</summary>
        Broken,
    }

    /// <summary>Bytes passed on.</summary>
    public long Passed { get; private set; }

    public bool WantsRead => !_sourceEnded && !_flow.Faults.IsBlackHole && _queue.Bytes < _flow.QueueBytes;

    public bool WantsWrite => _noRoom && !_flow.Faults.IsBlackHole;

    /// <summary>When to pump although no socket is ready.</summary>
    public TimeSpan WakeAt(TimeSpan now)
    {
        if (_flow.Faults.IsBlackHole) return TimeSpan.MaxValue;
        var due = _queue.NextDue;
        if (due <= now) due = _noRoom ? TimeSpan.MaxValue : _flow.Bucket?.ReadyAt(now, Math.Min(_queue.Bytes, Limits.ProxyTurnBytes)) ?? now;
        return due < _heldUntil ? due : _heldUntil;
    }

    /// <summary>The faults have changed.</summary>
    public void Adjust(TimeSpan now)
    {
        var faults = _flow.Faults;
        _queue.Hasten(now + faults.Delay + faults.Jitter);
        _mangler.Every(DamageKind.Corrupt, faults.CorruptEvery);
        _mangler.Every(DamageKind.Duplicate, faults.DuplicateEvery);
        _mangler.Every(DamageKind.Reorder, faults.ReorderEvery);
    }

    /// <summary>Does what can be done without waiting: one turn, so that other connections have theirs.</summary>
    /// <param name="scratch">Of <see cref="Limits.ProxyReadBytes"/>.</param>
    /// <param name="armed">Damage that waits for a large read; what this does, it completes and removes.</param>
    public Status Pump(TimeSpan now, Span<byte> scratch, List<ArmedDamage> armed)
    {
        if (_flow.Faults.IsBlackHole) return Status.Open;
        _noRoom = false;
        if (!Write(now)) return Status.Broken;
        if (WantsRead)
        {
            var got = NativeSockets.TryReceive(_from, scratch);
            if (got == -2) return Status.Broken;
            if (got == -1) _sourceEnded = true;
            else if (got > 0 && !Arrived(now, scratch[..got], armed)) return Status.Broken;
        }
        if (_mangler.IsHolding && (_sourceEnded || now >= _heldUntil)) Enqueue(now, () => _mangler.Release(_mangled));
        if (!_mangler.IsHolding) _heldUntil = TimeSpan.MaxValue;
        if (!_sourceEnded || _queue.Bytes > 0) return Status.Open;
        NativeSockets.FinishSending(_to);
        return Status.Ended;
    }

    /// <summary>The connection is over: damage that it could not do any more waits for another one.</summary>
    public void Clear(List<ArmedDamage> armed)
    {
        _queue.Clear();
        armed.AddRange(_striking);
        _striking.Clear();
    }

    private bool Arrived(TimeSpan now, ReadOnlySpan<byte> bytes, List<ArmedDamage> armed)
    {
        for (var i = armed.Count - 1; i >= 0; i--)
        {
            if (bytes.Length < armed[i].LeastBytes) continue;
            _mangler.Once(armed[i].Kind, bytes.Length);
            _striking.Add(armed[i]);
            armed.RemoveAt(i);
        }
        if (!_mangler.IsIdle)
        {
            if (!_mangler.IsHolding) _heldUntil = now + LongestHold;
            _mangled.ResetWrittenCount();
            _mangler.Transform(bytes, _mangled);
            bytes = _mangled.WrittenSpan;
        }
        else
        {
            _mangler.Skip(bytes.Length);
        }
        var due = Due(now);
        if (due <= now && _flow.Bucket is null && _queue.Bytes == 0)
        {
            var sent = NativeSockets.TrySend(_to, bytes);
            if (sent < 0) return false;
            Passed += sent;
            bytes = bytes[sent..];
            _noRoom = !bytes.IsEmpty;
        }
        _queue.Add(bytes, due);
        return true;
    }

    private void Enqueue(TimeSpan now, Action produce)
    {
        _mangled.ResetWrittenCount();
        produce();
        _queue.Add(_mangled.WrittenSpan, Due(now));
    }

    private TimeSpan Due(TimeSpan now)
    {
        var faults = _flow.Faults;
        if (faults.Jitter == TimeSpan.Zero) return now + faults.Delay;
        var number = _segments++;
        var (a, _, _, _) = Philox.Block((uint)_seed, (uint)(_seed >> 32), (uint)number, (uint)(number >> 32), (uint)_stream, JitterStream);
        return now + faults.Delay + (faults.Jitter * (a / (double)uint.MaxValue));
    }

    private bool Write(TimeSpan now)
    {
        for (var left = Limits.ProxyTurnBytes; left > 0;)
        {
            var bytes = _queue.Peek(now);
            if (bytes.IsEmpty) return true;
            var allowed = Math.Min(bytes.Length, _flow.Bucket is null ? bytes.Length : left);
            if (_flow.Bucket is { } bucket) allowed = bucket.Take(now, allowed);
            if (allowed == 0) return true;
            var sent = NativeSockets.TrySend(_to, bytes[..allowed]);
            if (sent < allowed) _flow.Bucket?.Return(allowed - Math.Max(0, sent));
            if (sent < 0) return false;
            _noRoom = sent < allowed;
            if (sent == 0) return true;
            _queue.Take(sent);
            Passed += sent;
            left -= sent;
            if (_noRoom) return true;
        }
        return true;
    }
}
