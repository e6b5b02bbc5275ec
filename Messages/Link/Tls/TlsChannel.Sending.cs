using System.Runtime.InteropServices;

namespace Cluster.Link;

internal sealed unsafe partial class TlsChannel
{
    // Small segments are joined here: a TLS record for a header of 60 bytes costs as much as one for 2 KiB.
    private byte[] _joined = [];
    private int _joinedBytes;

    public bool HasUnsent => _transport.HasUnsent;

    /// <summary>Takes everything or nothing: what the system has no room for is kept, encrypted, until a later call (<see cref="HasUnsent"/>).</summary>
    public nint TrySend(ReadOnlySpan<Segment> segments)
    {
        // A peer that speaks no TLS is told so in the clear: nothing else is sent before TLS stands.
        if (!_isOpen) return Broken is not null && TlsFaults.ArePlain(FirstBytes) ? _socket.TrySend(segments) : -1;
        if (!_transport.Flush(wait: false)) return -1;
        if (_transport.HasUnsent) return 0;
        return Write(segments, wait: false);
    }

    public bool SendAll(Span<Segment> segments) => _isOpen && _transport.Flush(wait: true) && Write(segments, wait: true) >= 0;

    public bool SendAll(Span<Segment> segments, SafeHandle descriptor) => throw new NotSupportedException("TLS carries no descriptors");

    private nint Write(ReadOnlySpan<Segment> segments, bool wait)
    {
        _transport.WritesWait = wait;
        nint total = 0;
        try
        {
            foreach (var segment in segments)
            {
                Write(segment);
                total += (nint)segment.Length;
            }
            WriteJoined();
            return total;
        }
        catch (Exception)
        {
            // Of the connection, or because it was closed meanwhile: nothing can be sent any more.
            _joinedBytes = 0;
            return -1;
        }
    }

    private void Write(Segment segment)
    {
        while (segment.Length > 0)
        {
            if (_joinedBytes == 0 && segment.Length >= RecordBytes)
            {
                // Whole records, straight out of the caller's memory.
                var direct = (int)Math.Min(segment.Length, int.MaxValue) / RecordBytes * RecordBytes;
                Encrypt(_writer.Over(segment.Start, direct));
                segment = segment.Skip((nuint)direct);
                continue;
            }
            if (_joined.Length == 0) _joined = GC.AllocateUninitializedArray<byte>(RecordBytes);
            var count = (int)Math.Min(segment.Length, (nuint)(RecordBytes - _joinedBytes));
            new ReadOnlySpan<byte>(segment.Start, count).CopyTo(_joined.AsSpan(_joinedBytes));
            _joinedBytes += count;
            segment = segment.Skip((nuint)count);
            if (_joinedBytes == RecordBytes) WriteJoined();
        }
    }

    private void WriteJoined()
    {
        if (_joinedBytes == 0) return;
        Encrypt(_joined.AsMemory(0, _joinedBytes));
        _joinedBytes = 0;
    }

    /// <summary>The transport's writes finish before they return, so this does too.</summary>
    private void Encrypt(ReadOnlyMemory<byte> bytes)
    {
        var write = _ssl.WriteAsync(bytes);
        if (!write.IsCompleted) throw new InvalidOperationException("a write under TLS did not finish in its call");
        write.GetAwaiter().GetResult();
    }
}
