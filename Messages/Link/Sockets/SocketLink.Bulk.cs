using System.Buffers.Binary;
using Cluster.Contracts;

namespace Cluster.Link;

internal sealed partial class SocketLink
{
    private void WriteBulk()
    {
        while (_bulkQueue.Take() is { } item)
        {
            bool alive;
            try
            {
                alive = WriteTensor(item);
            }
            finally
            {
                _bulkQueue.Done(item);
            }
            if (alive) continue;
            _bulkQueue.Abandon();
            LoseSoon();
        }
        AdvanceDrain();
        _others.Signal();
    }

    private void ReadBulk()
    {
        try
        {
            using var borrower = _isSharing ? new Borrower(SendReturned) : null;
            using var reader = new BulkFrameReader(_bulk, this, _handler, borrower, SendMapped);
            var (fault, inFrame) = reader.ReadToEnd();
            if (fault is not null)
            {
                LinkTelemetry.FrameRefused(fault.End.ToString());
                End(new LinkClosure(fault.End, false, fault.Sentence));
            }
            else if (inFrame || Volatile.Read(ref _draining) is null)
            {
                LoseSoon();
            }
        }
        catch (Exception e)
        {
            HandlerFailed(e);
        }
        _others.Signal();
    }
}

/// <summary>Writes one bulk frame: sums a piece, then hands it to the kernel while it is still in the cache.</summary>
internal static unsafe class BulkFrameWriter
{
    /// <summary>A frame without floats: one about shared memory. Blocks until the kernel has it.</summary>
    /// <param name="descriptor">Handed over with it.</param>
    /// <param name="payloadBytes">What it stands for; counted as sent.</param>
    /// <returns>False: the connection is gone.</returns>
    public static bool Write(IChannel channel, ushort type, byte[] head, System.Runtime.InteropServices.SafeHandle? descriptor = null, long payloadBytes = 0)
    {
        Span<byte> bytes = head.Length < 1024 ? stackalloc byte[Frame.FixedBytes + head.Length + Frame.TrailerBytes] : new byte[Frame.FixedBytes + head.Length + Frame.TrailerBytes];
        Frame.Write(bytes, Lane.Bulk, type, head);
        fixed (byte* start = bytes)
        {
            Span<Segment> segments = [new Segment(start, (nuint)bytes.Length)];
            if (!(descriptor is null ? channel.SendAll(segments) : channel.SendAll(segments, descriptor))) return false;
        }
        LinkTelemetry.Sent(Lane.Bulk, bytes.Length + payloadBytes);
        return true;
    }

    /// <summary>Blocks until the kernel has the whole frame. False: the connection is gone.</summary>
    public static bool Write(IChannel channel, BulkItem item)
    {
        var frame = new Frame(Lane.Bulk, item.Type, item.Header.Length, item.Floats);
        Span<byte> fixedPart = stackalloc byte[Frame.FixedBytes];
        Span<byte> trailer = stackalloc byte[Frame.TrailerBytes];
        Span<Segment> segments = stackalloc Segment[4];
        frame.WriteFixed(fixedPart);
        var crc = Crc32C.Append(Crc32C.Append(Crc32C.Seed, fixedPart), item.Header);
        fixed (byte* fixedAt = fixedPart, headerAt = item.Header, trailerAt = trailer)
        fixed (float* floats = item.Payload.Span)
        {
            var at = (byte*)(floats + item.First);
            var left = (nuint)frame.PayloadBytes;
            var head = true;
            do
            {
                var piece = Math.Min(left, (nuint)Limits.LinkPieceBytes);
                crc = Crc32C.Append(crc, at, piece);
                var count = 0;
                if (head)
                {
                    segments[count++] = new Segment(fixedAt, Frame.FixedBytes);
                    segments[count++] = new Segment(headerAt, (nuint)item.Header.Length);
                }
                segments[count++] = new Segment(at, piece);
                at += piece;
                left -= piece;
                if (left == 0)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32C.Finish(crc));
                    segments[count++] = new Segment(trailerAt, Frame.TrailerBytes);
                }
                if (!channel.SendAll(segments[..count])) return false;
                head = false;
            }
            while (left > 0);
        }
        LinkTelemetry.Sent(Lane.Bulk, frame.TotalBytes);
        return true;
    }
}
