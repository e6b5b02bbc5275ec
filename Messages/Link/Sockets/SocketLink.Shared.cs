using Cluster.Contracts;

namespace Cluster.Link;

internal sealed partial class SocketLink
{
    /// <summary>For tests: what is lent to the peer.</summary>
    internal Lender Lender => _lender;

    /// <summary>Writes one tensor the shortest way that the peer can follow. Takes over the item's reference.</summary>
    /// <returns>False: the connection is gone.</returns>
    private bool WriteTensor(BulkItem item)
    {
        var passage = _lender.Decide(item, out var ticket);
        try
        {
            if (passage != Passage.Copy)
            {
                foreach (var freed in _lender.TakeFreed())
                    if (!BulkFrameWriter.Write(_bulk, FrameTypes.Forget, SharedFrames.Number(freed))) return false;
            }
            var block = item.Payload.Block as SharedBlock;
            if (passage == Passage.Lend)
            {
                var lent = new LentHead(block!.Id, ticket, item.First, item.Floats, item.Type);
                return BulkFrameWriter.Write(_bulk, FrameTypes.Lent, SharedFrames.Lent(lent, item.Header), payloadBytes: item.Bytes);
            }
            if (passage == Passage.Introduce && !BulkFrameWriter.Write(_bulk, FrameTypes.Segment, SharedFrames.Segment(block!), descriptor: block!.File)) return false;
            return BulkFrameWriter.Write(_bulk, item);
        }
        finally
        {
            if (passage != Passage.Lend) item.Payload.Dispose();
        }
    }

    /// <summary>Answers the peer's announcement: from here on it may lend what lies there.</summary>
    private void SendMapped(ulong segment) => SendNumber(FrameTypes.Mapped, segment);

    /// <summary>A tensor that the peer lent has been released. Any thread.</summary>
    private void SendReturned(ulong ticket) => SendNumber(FrameTypes.Returned, ticket);

    private void SendNumber(ushort type, ulong number)
    {
        lock (_gate)
        {
            // After the goodbye nothing may follow, and the peer retires what it has lent.
            if (_closure is not null || _goodbyeSaid) return;
            SendFrame(type, SharedFrames.Number(number));
        }
        EndIfOverflown();
    }

    /// <summary>A control frame about memory that is lent to the peer.</summary>
    /// <returns>False: it makes no sense.</returns>
    private bool HearShared(ushort type, ReadOnlySpan<byte> body)
    {
        if (!SharedFrames.TryReadNumber(body, out var number)) return false;
        if (type == FrameTypes.Returned) return _lender.TakeBack(number);
        _lender.Confirm(number);
        return true;
    }
}
