using System.Net.Security;
using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Link;

/// <summary>
/// A TCP connection under TLS. Until the TLS handshake is finished, reading leads it on, and nothing can be sent. Threads as for every
/// channel: one reads, one writes. Of a TLS record each channel holds what its reader has not taken, so poll(2) alone does not tell
/// whether there is something to read: whoever polls reads until nothing comes.
/// </summary>
internal sealed unsafe partial class TlsChannel : IChannel
{
    /// <summary>Most bytes of a TLS record (RFC 8446, 5.1).</summary>
    private const int RecordBytes = 16 * 1024;

    private readonly SocketChannel _socket;
    private readonly TlsTransport _transport;
    private readonly SslStream _ssl;
    private readonly bool _isAcceptor;
    private readonly NativeWindow _reader = new(), _writer = new();

    // Decrypted and not yet taken.
    private byte[] _plain = [];
    private int _start, _end;

    private Task? _opening;
    private ValueTask<int> _reading;
    private bool _isReading, _hasEnded;
    private volatile bool _isOpen;

    private TlsChannel(SocketChannel socket, TlsPeer peer, bool isAcceptor)
    {
        (_socket, Peer, _isAcceptor) = (socket, peer, isAcceptor);
        _transport = new TlsTransport(socket, Limits.LinkTlsHandshakeBytes);
        _ssl = new SslStream(_transport, leaveInnerStreamOpen: false);
    }

    public static TlsChannel Accepted(SocketChannel socket, LinkTls tls) => new(socket, TlsPeer.Dialler(tls), isAcceptor: true);

    public static TlsChannel Dialled(SocketChannel socket, TlsPeer peer) => new(socket, peer, isAcceptor: false);

    /// <summary>Whose certificate it is, at the other end.</summary>
    public TlsPeer Peer { get; }

    /// <summary>TLS stands. Says nothing about the peer: see <see cref="TlsPeer.Fault"/>.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Why the TLS handshake broke; null = it did not.</summary>
    public Exception? Broken { get; private set; }

    public bool IsAtEnd => _transport.IsAtEnd;

    public ReadOnlySpan<byte> FirstBytes => _transport.FirstBytes;

    public int Descriptor => _socket.Descriptor;

    public bool CarriesDescriptors => false;

    /// <summary>The peer has proven who it is: it may send as much as it likes.</summary>
    public void Trust() => _transport.Trust();

    /// <summary>Tells a peer whose certificate is not good why; the caller disposes the channel then.</summary>
    public void Refuse(string sentence)
    {
        var frame = HandshakeFrames.Refusal(sentence);
        fixed (byte* start = frame) TrySend([new Segment(start, (nuint)frame.Length)]);
    }

    public nint TryReceive(Span<byte> to)
    {
        if (!Fill(wait: false)) return _hasEnded ? -1 : 0;
        return Take(to);
    }

    public nint Receive(ReadOnlySpan<Segment> segments)
    {
        // A read into our own buffer may be open since the handshake.
        if (_start < _end || _isReading || !_isOpen)
        {
            if (!Fill(wait: true)) return 0;
            nint taken = 0;
            foreach (var segment in segments) taken += Take(new Span<byte>(segment.Start, (int)Math.Min(segment.Length, int.MaxValue)));
            return taken;
        }
        if (_hasEnded) return 0;
        // Straight to where it belongs. What is for further segments comes with the next call: a record is never large.
        try
        {
            _transport.ReadsWait = true;
            var got = Result(_ssl.ReadAsync(_reader.Over(segments[0].Start, (int)Math.Min(segments[0].Length, int.MaxValue))));
            _hasEnded = got == 0;
            return got;
        }
        catch (Exception e)
        {
            return Fail(e);
        }
    }

    public bool WaitReadable(TimeSpan limit) => Fill(wait: false) || _hasEnded || _socket.WaitReadable(limit);

    public SafeFileHandle? TakeDescriptor() => null;

    public void FinishSending() => _socket.FinishSending();

    public void Abort() => _socket.Abort();

    public void Dispose()
    {
        _ssl.Dispose();
        _socket.Dispose();
    }

    /// <summary>Leads the TLS handshake on, as far as what has come reaches. True: TLS stands, or has failed (<see cref="Broken"/>).</summary>
    public bool Open()
    {
        if (_isOpen || _hasEnded) return true;
        try
        {
            return Open(wait: false);
        }
        catch (Exception e)
        {
            Fail(e);
            return true;
        }
    }

    private bool Open(bool wait)
    {
        if (_isOpen) return true;
        _transport.Flush(wait);
        _opening ??= _isAcceptor ? _ssl.AuthenticateAsServerAsync(Peer.ServerOptions()) : _ssl.AuthenticateAsClientAsync(Peer.ClientOptions());
        while (!_opening.IsCompleted)
        {
            if (!_transport.Pump(wait)) return false;
        }
        _opening.GetAwaiter().GetResult();
        _isOpen = true;
        return true;
    }

    /// <summary>Sees to it that decrypted bytes are there. False: nothing has come, or <see cref="_hasEnded"/>.</summary>
    private bool Fill(bool wait)
    {
        if (_start < _end) return true;
        if (_hasEnded) return false;
        try
        {
            if (!Open(wait)) return false;
            if (!_isReading)
            {
                if (_plain.Length == 0) _plain = GC.AllocateUninitializedArray<byte>(RecordBytes);
                _transport.ReadsWait = wait;
#pragma warning disable CA2012 // It stays open until bytes come, and its result is taken once.
                _reading = _ssl.ReadAsync(_plain);
#pragma warning restore CA2012
                _isReading = true;
            }
            while (!_reading.IsCompleted)
            {
                if (!_transport.Pump(wait)) return false;
            }
            _isReading = false;
            (_start, _end) = (0, Result(_reading));
            _hasEnded = _end == 0;
            return !_hasEnded;
        }
        catch (Exception e)
        {
            Fail(e);
            return false;
        }
    }

    private int Take(Span<byte> to)
    {
        var count = Math.Min(to.Length, _end - _start);
        _plain.AsSpan(_start, count).CopyTo(to);
        _start += count;
        return count;
    }

    /// <summary>Whatever the other side's bytes provoke ends this connection, and nothing else.</summary>
    private nint Fail(Exception e)
    {
        Broken ??= e;
        _isReading = false;
        _hasEnded = true;
        return -1;
    }

    /// <summary>Of a call that is known to have finished.</summary>
    private static int Result(in ValueTask<int> done) => done.GetAwaiter().GetResult();
}
