namespace Cluster.Link;

/// <summary>Reads frames without floats off a channel, in place: one buffer, which grows to the largest frame that the lane allows.</summary>
internal sealed unsafe class FrameReader(IChannel channel, Lane lane)
{
    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(16 * 1024, pinned: true);
    private int _start, _end;

    public enum Result { Frame, End, Fault }

    /// <summary>True if the stream ended with a part of a frame.</summary>
    public bool InFrame => _end > _start;

    /// <summary>Waits for the next whole frame. The body is valid until the next call.</summary>
    public Result Next(out Frame frame, out ReadOnlySpan<byte> body, out FrameFault? fault)
    {
        frame = default;
        body = default;
        fault = null;
        if (!Have(Frame.FixedBytes)) return Result.End;
        fault = Frame.Read(_bytes.AsSpan(_start), lane, out frame);
        if (fault is not null) return Result.Fault;
        var total = (int)frame.TotalBytes;
        if (!Have(total)) return Result.End;
        var whole = _bytes.AsSpan(_start, total);
        if (!Frame.IsWhole(whole))
        {
            fault = frame.Damaged();
            return Result.Fault;
        }
        body = whole.Slice(Frame.FixedBytes, frame.HeadBytes);
        _start += total;
        return Result.Frame;
    }

    private bool Have(int count)
    {
        while (_end - _start < count)
        {
            if (_start > 0 && (_start == _end || _start + count > _bytes.Length))
            {
                _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
                (_start, _end) = (0, _end - _start);
            }
            if (count > _bytes.Length)
            {
                // At least doubled, so that a series of growing frames does not copy each time.
                var larger = GC.AllocateUninitializedArray<byte>(Math.Max(count, 2 * _bytes.Length), pinned: true);
                _bytes.AsSpan(0, _end).CopyTo(larger);
                _bytes = larger;
            }
            nint got;
            fixed (byte* at = _bytes) got = channel.Receive([new Segment(at + _end, (nuint)(_bytes.Length - _end))]);
            if (got <= 0) return false;
            _end += (int)got;
        }
        return true;
    }
}
