using Cluster.Contracts;

namespace Cluster.Link;

internal sealed unsafe partial class BulkFrameReader
{
    /// <summary>Reads a frame about shared memory: it has no payload.</summary>
    /// <returns>What is wrong with it; whether the stream goes on.</returns>
    private (FrameFault? Fault, bool GoesOn) ReadShared(Frame frame)
    {
        if (frame.Type is not (FrameTypes.Segment or FrameTypes.Forget or FrameTypes.Lent) || !channel.CarriesDescriptors)
            return (new FrameFault(LinkEnd.Protocol, $"a bulk frame of the unknown type 0x{frame.Type:x4} came"), false);
        if (frame.Floats != 0) return (new FrameFault(LinkEnd.Protocol, $"a frame about shared memory came with {frame.Floats} floats"), false);
        if (!Have((int)frame.TotalBytes)) return (null, false);
        var whole = _bytes.AsSpan(_start, (int)frame.TotalBytes);
        if (!Frame.IsWhole(whole)) return (frame.Damaged(), false);
        whole.Slice(Frame.FixedBytes, frame.HeadBytes).CopyTo(_header);
        _start += whole.Length;
        var head = _header.AsSpan(0, frame.HeadBytes);
        // Whoever takes no shared memory answers no announcement, and a peer lends nothing that was not answered.
        if (borrower is null)
        {
            using var unwanted = channel.TakeDescriptor();
            return frame.Type == FrameTypes.Lent ? (new FrameFault(LinkEnd.Protocol, "a tensor was lent in memory that is not shared"), false) : (null, true);
        }
        FrameFault? fault;
        switch (frame.Type)
        {
            case FrameTypes.Segment:
                fault = borrower.Introduce(head, channel.TakeDescriptor, out var id, out var isMapped);
                if (isMapped) mapped(id);
                break;
            case FrameTypes.Forget:
                fault = borrower.Forget(head);
                break;
            default:
                fault = Deliver(frame, head);
                break;
        }
        return (fault, fault is null);
    }

    private FrameFault? Deliver(Frame frame, ReadOnlySpan<byte> head)
    {
        if (!SharedFrames.TryReadLent(head, out var read) || read.Value is var lent && lent.Type >= Limits.LinkReservedTypes) return new FrameFault(LinkEnd.Protocol, "a tensor was lent in a way that cannot be read");
        if (borrower!.Borrow(lent, out var buffer) is { } fault) return fault;
        var header = head[SharedFrames.LentBytes..];
        var isOurs = true;
        try
        {
            var target = handler.Bulk(link, new BulkOffer(lent.Type, header, lent.Floats, buffer, 0));
            LinkArguments.CheckTarget(target, lent.Floats, shared: true);
            LinkTelemetry.Received(Lane.Bulk, frame.TotalBytes + ((long)lent.Floats * sizeof(float)));
            if (target.Refusal is { } reason)
            {
                LinkTelemetry.FrameRefused(reason);
                return null;
            }
            if (target.WantsReference)
            {
                isOurs = false;
                target = target.Resolved(buffer!, 0);
            }
            else
            {
                buffer!.Span.CopyTo(target.Buffer!.Span[target.First..]);
            }
            handler.BulkArrived(link, new BulkArrival(lent.Type, header, target, lent.Floats));
            return null;
        }
        finally
        {
            if (isOurs) buffer!.Dispose();
        }
    }
}
