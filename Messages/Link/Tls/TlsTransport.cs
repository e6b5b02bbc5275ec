using System.Threading.Tasks.Sources;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>
/// What an <see cref="System.Net.Security.SslStream"/> reads and writes: a socket's encrypted bytes. No event loop and no thread pool: a
/// read for which nothing has come stays open until <see cref="Pump"/>, called after poll(2), completes it and runs what follows on
/// the calling thread. A write never waits either, unless it may (<see cref="WritesWait"/>); what the system did not take is kept.
/// One thread reads, one writes.
/// </summary>
internal sealed unsafe class TlsTransport(SocketChannel socket, long budget) : Stream, IValueTaskSource<int>
{
    /// <summary>Encrypted bytes that may still come: few from a peer that has proven nothing.</summary>
    private long _budget = budget;

    private ManualResetValueTaskSourceCore<int> _source;
    private Memory<byte> _wanted;
    private bool _isWaiting;
    private byte[] _unsent = [];
    private int _unsentStart, _unsentEnd;

    /// <summary>Reads wait in the call: for the threads of an open link.</summary>
    public bool ReadsWait { get; set; }

    /// <summary>Writes wait in the call.</summary>
    public bool WritesWait { get; set; }

    /// <summary>From here on as many bytes may come as want to.</summary>
    public void Trust()
    {
        _budget = long.MaxValue;
        FirstBytes = [];
    }

    /// <summary>The peer's stream ended, or broke.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>The first bytes that came: they tell a peer that speaks no TLS.</summary>
    public byte[] FirstBytes { get; private set; } = [];

    /// <summary>Bytes wait for room in the system's buffer.</summary>
    public bool HasUnsent => _unsentEnd > _unsentStart;

    /// <summary>Completes the open read with what has come. False: there is none open, or nothing has come.</summary>
    /// <param name="wait">Wait until something has come.</param>
    public bool Pump(bool wait)
    {
        if (!_isWaiting) return false;
        var got = Receive(_wanted.Span, wait);
        if (got < 0) return false;
        _isWaiting = false;
        _wanted = default;
        _source.SetResult(got);
        return true;
    }

    /// <summary>Sends what was kept, as far as it goes. False: the connection is gone.</summary>
    public bool Flush(bool wait)
    {
        if (!HasUnsent) return true;
        fixed (byte* start = _unsent)
        {
            var rest = new Segment(start + _unsentStart, (nuint)(_unsentEnd - _unsentStart));
            var sent = wait ? (socket.SendAll([rest]) ? (nint)rest.Length : -1) : socket.TrySend([rest]);
            if (sent < 0) return false;
            _unsentStart += (int)sent;
        }
        if (!HasUnsent) (_unsentStart, _unsentEnd) = (0, 0);
        return true;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return new ValueTask<int>(0);   // only asks whether something is there; the next read tells
        var got = Receive(buffer.Span, ReadsWait);
        if (got >= 0) return new ValueTask<int>(got);
        _wanted = buffer;
        _isWaiting = true;
        _source.Reset();
        return new ValueTask<int>(this, _source.Version);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Send(buffer.Span);
        return ValueTask.CompletedTask;
    }

    /// <summary>Bytes that came, 0 at the end, -1 if there are none and it must not wait.</summary>
    private int Receive(Span<byte> to, bool wait)
    {
        if (IsAtEnd) return 0;
        if (_budget <= 0) throw new IOException("too many bytes came before the handshake was finished");
        to = to[..(int)Math.Min(to.Length, _budget)];
        nint got;
        if (wait)
        {
            fixed (byte* start = to) got = socket.Receive([new Segment(start, (nuint)to.Length)]);
            if (got == 0) got = -1;
        }
        else
        {
            got = socket.TryReceive(to);
            if (got == 0) return -1;
        }
        if (got < 0)
        {
            IsAtEnd = true;
            return 0;
        }
        if (_budget != long.MaxValue)
        {
            _budget -= got;
            if (FirstBytes.Length < Limits.LinkHelloBytes) FirstBytes = [.. FirstBytes, .. to[..(int)got]];
        }
        return (int)got;
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            var segment = new Segment(start, (nuint)bytes.Length);
            if (WritesWait)
            {
                if (!Flush(wait: true) || !socket.SendAll([segment])) throw new IOException("the connection is gone");
                return;
            }
            nint sent = 0;
            if (!HasUnsent && (sent = socket.TrySend([segment])) < 0) throw new IOException("the connection is gone");
            Keep(bytes[(int)sent..]);
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        if (_unsentEnd + bytes.Length > _unsent.Length) Array.Resize(ref _unsent, Math.Max(_unsentEnd + bytes.Length, 2 * _unsent.Length));
        bytes.CopyTo(_unsent.AsSpan(_unsentEnd));
        _unsentEnd += bytes.Length;
    }

    int IValueTaskSource<int>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _source.OnCompleted(continuation, state, token, flags);

    // An SslStream calls these for alerts, if at all.
    public override void Write(byte[] buffer, int offset, int count) => Send(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => Send(buffer);

    public override void Flush() { }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
