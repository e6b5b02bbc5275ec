using System.Buffers.Binary;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>
/// Reads bulk frames off a channel: the head into a small buffer, the payload straight into the memory that the handler names,
/// summed piece by piece while it is in the cache. One thread.
/// </summary>
/// <param name="borrower">The peer's shared memory; null = none is taken. The caller disposes it.</param>
/// <param name="mapped">Told when a segment has been mapped.</param>
internal sealed unsafe partial class BulkFrameReader(IChannel channel, ILink link, ILinkHandler handler, Borrower? borrower, Action<ulong> mapped) : IDisposable
{
    // The head of a frame, and whatever of the next bytes came with it. Twice a head, so that a read always has room.
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(2 * (Frame.FixedBytes + Limits.LinkHeaderBytes), pinned: true);
    private readonly byte[] _header = new byte[Limits.LinkHeaderBytes];
    private byte[]? _sink;
    private int _start, _end;
    private uint _crc;
    private BulkTarget? _open;

    /// <summary>Reads frames until the stream ends or one is refused.</summary>
    /// <returns>What was wrong, null at the end of the stream; and whether that came in the middle of a frame.</returns>
    public (FrameFault? Fault, bool InFrame) ReadToEnd()
    {
        for (; ; )
        {
            if (!Have(Frame.FixedBytes)) return (null, _end > _start);
            if (Frame.Read(_bytes.AsSpan(_start), Lane.Bulk, out var frame) is { } fault) return (fault, true);
            if (frame.Type >= Limits.LinkReservedTypes)
            {
                var (wrong, goesOn) = ReadShared(frame);
                if (!goesOn) return (wrong, true);
                continue;
            }
            if (!Have(Frame.FixedBytes + frame.HeadBytes)) return (null, true);
            var head = _bytes.AsSpan(_start, Frame.FixedBytes + frame.HeadBytes);
            _crc = Crc32C.Append(Crc32C.Seed, head);
            head[Frame.FixedBytes..].CopyTo(_header);
            _start += head.Length;
            var header = _header.AsSpan(0, frame.HeadBytes);

            var target = handler.Bulk(link, new BulkOffer(frame.Type, header, frame.Floats, null, 0));
            LinkArguments.CheckTarget(target, frame.Floats, shared: false);
            // A reference of our own: the kernel must not write into memory that its owner has meanwhile released.
            target.Buffer?.Share();
            if (target.Refusal is null) _open = target;
            if (!(target.Buffer is { } buffer ? Fill(buffer, target.First, frame.PayloadBytes) : Drop(frame.PayloadBytes)) || !Have(Frame.TrailerBytes)) return (null, true);
            var sum = BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(_start));
            _start += Frame.TrailerBytes;
            if (sum != Crc32C.Finish(_crc)) return (frame.Damaged(), true);
            LinkTelemetry.Received(Lane.Bulk, frame.TotalBytes);
            if (target.Refusal is not null)
            {
                LinkTelemetry.FrameRefused(target.Refusal);
                continue;
            }
            _open = null;
            target.Buffer!.Dispose();
            handler.BulkArrived(link, new BulkArrival(frame.Type, header, target, frame.Floats));
        }
    }

    /// <summary>A payload that never became whole goes back to its owner, however the reading ended.</summary>
    public void Dispose()
    {
        if (_open is not { } lost) return;
        _open = null;
        lost.Buffer!.Dispose();
        handler.BulkLost(link, lost);
    }

    private bool Fill(NativeBuffer buffer, int first, long bytes)
    {
        fixed (float* floats = buffer.Span) return Read((byte*)(floats + first), bytes, advance: true);
    }

    private bool Drop(long bytes)
    {
        _sink ??= GC.AllocateUninitializedArray<byte>(Limits.LinkPieceBytes, pinned: true);
        fixed (byte* sink = _sink) return Read(sink, bytes, advance: false);
    }

    /// <summary>Reads a payload to <paramref name="to"/>, or, without <paramref name="advance"/>, piece after piece to the same place.</summary>
    private bool Read(byte* to, long bytes, bool advance)
    {
        while (bytes > 0)
        {
            var piece = (int)Math.Min(bytes, Limits.LinkPieceBytes);
            int got;
            if (_end > _start)
            {
                got = Math.Min(piece, _end - _start);
                _bytes.AsSpan(_start, got).CopyTo(new Span<byte>(to, got));
                _start += got;
            }
            else
            {
                got = Receive(to, piece, isLast: piece == bytes);
                if (got <= 0) return false;
            }
            _crc = Crc32C.Append(_crc, to, (nuint)got);
            bytes -= got;
            if (advance) to += got;
        }
        return true;
    }

    /// <summary>The last piece of a payload brings trailer and next head along, in one system call.</summary>
    private int Receive(byte* to, int piece, bool isLast)
    {
        (_start, _end) = (0, 0);
        fixed (byte* rest = _bytes)
        {
            var got = (int)(isLast
                ? channel.Receive([new Segment(to, (nuint)piece), new Segment(rest, (nuint)_bytes.Length)])
                : channel.Receive([new Segment(to, (nuint)piece)]));
            if (got <= piece) return got;
            _end = got - piece;
            return piece;
        }
    }

    private bool Have(int count)
    {
        while (_end - _start < count)
        {
            if (_start > 0)
            {
                _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
                (_start, _end) = (0, _end - _start);
            }
            nint got;
            fixed (byte* at = _bytes) got = channel.Receive([new Segment(at + _end, (nuint)(_bytes.Length - _end))]);
            if (got <= 0) return false;
            _end += (int)got;
        }
        return true;
    }
}
