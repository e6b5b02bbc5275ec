using System.Buffers;
using Cluster.Contracts;

namespace Cluster.Chaos.Proxy;

/// <summary>
/// Damages one stream of bytes on purpose, at places that follow from seed, stream and byte position alone: the same bytes
/// get the same damage however they are cut into reads. Pure: no clock, no generator of its own. One thread.
/// </summary>
/// <param name="stream">Tells the streams of one seed apart.</param>
/// <param name="told">Hears of each damage when it is done.</param>
public sealed class StreamMangler(ulong seed, ulong stream, Action<Damage> told)
{
    /// <summary>Bytes of a segment that comes twice or changes its place: what one Ethernet frame carries of a TCP stream (1500 less two headers and the time stamps).</summary>
    public const int SegmentBytes = 1448;

    private const long Never = long.MaxValue;

    private readonly Schedule[] _schedules = [new(), new(), new()];
    private readonly byte[] _collected = new byte[2 * SegmentBytes];
    private DamageKind? _collecting;
    private int _count;
    private long _collectingFrom;

    /// <summary>Bytes that came so far.</summary>
    public long Position { get; private set; }

    /// <summary>Nothing is planned: bytes may pass as they are (<see cref="Skip"/>).</summary>
    public bool IsIdle => _collecting is null && _schedules.All(static s => s.At == Never);

    /// <summary>Bytes are held back until their segment is whole: see <see cref="Release"/>.</summary>
    public bool IsHolding => _collecting == DamageKind.Reorder && _count > 0;

    /// <summary>Bytes that a kind of damage needs.</summary>
    public static int BytesOf(DamageKind kind) => kind switch { DamageKind.Corrupt => 1, DamageKind.Duplicate => SegmentBytes, _ => 2 * SegmentBytes };

    /// <summary>Damages once in every so many bytes from here on, at a place drawn from each; 0 = no more.</summary>
    public void Every(DamageKind kind, long bytes)
    {
        var schedule = _schedules[(int)kind];
        if (schedule.Every == bytes) return;
        (schedule.Every, schedule.Window, schedule.Index, schedule.WindowAt) = (bytes, Position, 0, Never);
        if (bytes > 0) Draw(kind, schedule);
        schedule.At = Math.Min(schedule.OnceAt, schedule.WindowAt);
    }

    /// <summary>Damages once, within the next <paramref name="within"/> bytes, which are there to come.</summary>
    public void Once(DamageKind kind, int within)
    {
        var schedule = _schedules[(int)kind];
        // The number of the one-off takes the place of the window's, in a half of the numbers that windows never reach.
        schedule.OnceAt = Position + (long)Below(kind, (1UL << 63) | schedule.Onces++, (ulong)(within - BytesOf(kind) + 1));
        schedule.At = Math.Min(schedule.At, schedule.OnceAt);
    }

    /// <summary>Bytes passed while <see cref="IsIdle"/>.</summary>
    public void Skip(int bytes) => Position += bytes;

    /// <summary>What becomes of the next bytes of the stream.</summary>
    public void Transform(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        while (!input.IsEmpty)
        {
            if (_collecting is { } collecting)
            {
                input = Collect(collecting, input, output);
                continue;
            }
            var (kind, at) = Next();
            var before = (int)Math.Min(input.Length, Math.Max(0, at - Position));
            output.Write(input[..before]);
            Position += before;
            input = input[before..];
            if (input.IsEmpty || Position < at) continue;
            if (kind == DamageKind.Corrupt) input = Flip(input, output);
            else (_collecting, _count, _collectingFrom) = (kind, 0, Position);
        }
    }

    /// <summary>The stream stands still or ends: what is held back passes undamaged, and the damage is done further on.</summary>
    public void Release(IBufferWriter<byte> output)
    {
        if (!IsHolding) return;
        output.Write(_collected.AsSpan(0, _count));
        (_collecting, _count) = (null, 0);
        var schedule = _schedules[(int)DamageKind.Reorder];
        schedule.At = Math.Max(schedule.At, Position);
    }

    private (DamageKind Kind, long At) Next()
    {
        var first = 0;
        for (var i = 1; i < _schedules.Length; i++) if (_schedules[i].At < _schedules[first].At) first = i;
        return ((DamageKind)first, _schedules[first].At);
    }

    private ReadOnlySpan<byte> Flip(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        output.Write([(byte)(input[0] ^ (1 << (int)Below(DamageKind.Corrupt, (1UL << 62) | (ulong)Position, 8)))]);
        var at = Position++;
        Done(DamageKind.Corrupt, at);
        return input[1..];
    }

    /// <summary>A segment that comes twice passes while it is remembered; two that change places are held back until both are there.</summary>
    private ReadOnlySpan<byte> Collect(DamageKind kind, ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        var whole = BytesOf(kind);
        var taken = input[..Math.Min(input.Length, whole - _count)];
        taken.CopyTo(_collected.AsSpan(_count));
        _count += taken.Length;
        Position += taken.Length;
        if (kind == DamageKind.Duplicate) output.Write(taken);
        if (_count < whole) return input[taken.Length..];
        if (kind == DamageKind.Reorder) output.Write(_collected.AsSpan(SegmentBytes, SegmentBytes));
        output.Write(_collected.AsSpan(0, SegmentBytes));
        (_collecting, _count) = (null, 0);
        Done(kind, _collectingFrom);
        return input[taken.Length..];
    }

    private void Done(DamageKind kind, long position)
    {
        var schedule = _schedules[(int)kind];
        if (schedule.OnceAt <= position) schedule.OnceAt = Never;
        if (schedule.Every > 0 && schedule.WindowAt <= position)
        {
            // A place that has passed meanwhile is made up for at once, so that no window goes without.
            (schedule.Window, schedule.Index) = (schedule.Window + schedule.Every, schedule.Index + 1);
            Draw(kind, schedule);
        }
        schedule.At = Math.Max(Position, Math.Min(schedule.OnceAt, schedule.WindowAt));
        told(new Damage(kind, position, BytesOf(kind)));
    }

    private void Draw(DamageKind kind, Schedule schedule) =>
        schedule.WindowAt = schedule.Window + (long)Below(kind, schedule.Index, (ulong)Math.Max(1, schedule.Every - BytesOf(kind) + 1));

    private ulong Below(DamageKind kind, ulong number, ulong limit)
    {
        var (a, b, _, _) = Philox.Block((uint)seed ^ ((uint)kind << 28), (uint)(seed >> 32), (uint)number, (uint)(number >> 32), (uint)stream, (uint)(stream >> 32));
        return Math.BigMul(((ulong)a << 32) | b, limit, out _);
    }

    private sealed class Schedule
    {
        public long Every, Window, WindowAt = Never, OnceAt = Never, At = Never;
        public ulong Index, Onces;
    }
}
