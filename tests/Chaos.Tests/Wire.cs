using System.Net;
using System.Net.Sockets;
using Cluster.Chaos.Proxy;

namespace Cluster.Chaos.Tests;

public enum WireKind
{
    Tcp,
    Unix,
}

/// <summary>A listener, a proxy in front of it, and connections through both. Every wait has a limit.</summary>
internal sealed class Wire : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static int _count;

    private readonly Socket _listener;
    private readonly List<Socket> _sockets = [];
    private readonly List<ProxyNote> _notes = [];
    private readonly string? _folder;

    public Wire(WireKind kind, ulong seed = 1, bool isIncoming = false)
    {
        EndPoint listen, target;
        if (kind == WireKind.Unix)
        {
            _folder = Directory.CreateTempSubdirectory($"proxy-{Interlocked.Increment(ref _count)}-").FullName;
            (listen, target) = (new UnixDomainSocketEndPoint(Path.Combine(_folder, "in")), new UnixDomainSocketEndPoint(Path.Combine(_folder, "out")));
        }
        else
        {
            (listen, target) = (new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0));
        }
        _listener = New(target);
        _listener.Bind(target);
        _listener.Listen(100);
        Proxy = FaultProxy.Start([new ProxyRoute("far", listen, _listener.LocalEndPoint!, isIncoming)], seed, Hear);
    }

    public FaultProxy Proxy { get; }

    public IReadOnlyList<ProxyNote> Notes
    {
        get { lock (_notes) return [.. _notes]; }
    }

    /// <summary>A connection through the proxy: who dialled, and what the target accepted.</summary>
    public async Task<(Socket Near, Socket Far)> ConnectAsync()
    {
        var near = await DialAsync();
        return (near, await AcceptAsync());
    }

    public async Task<Socket> DialAsync()
    {
        var near = New(Proxy.Routes[0].Listen);
        _sockets.Add(near);
        await near.ConnectAsync(Proxy.Routes[0].Listen).WaitAsync(Patience);
        return near;
    }

    public async Task<Socket> AcceptAsync()
    {
        var far = await _listener.AcceptAsync().WaitAsync(Patience);
        _sockets.Add(far);
        return far;
    }

    public void StopListening() => _listener.Dispose();

    public static Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes) => Task.Run(async () =>
    {
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes)..];
    }).WaitAsync(Patience);

    public static async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var got = await socket.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(Patience);
            if (got == 0) throw new EndOfStreamException($"the stream ended after {at} of {count} bytes");
            at += got;
        }
        return bytes;
    }

    public static async Task<byte[]> ReceiveToEndAsync(Socket socket)
    {
        var all = new MemoryStream();
        var buffer = new byte[65_536];
        for (int got; (got = await socket.ReceiveAsync(buffer).WaitAsync(Patience)) > 0;) all.Write(buffer, 0, got);
        return all.ToArray();
    }

    /// <summary>Whether the connection is over: its end, or a reset.</summary>
    public static async Task<SocketError?> EndOfAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).WaitAsync(Patience) == 0 ? SocketError.Success : null;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    public static byte[] RandomBytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.Run(Proxy.Dispose).WaitAsync(Patience);
        foreach (var socket in _sockets) socket.Dispose();
        _listener.Dispose();
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
    }

    private void Hear(ProxyNote note)
    {
        lock (_notes) _notes.Add(note);
    }

    private static Socket New(EndPoint endPoint) =>
        endPoint is UnixDomainSocketEndPoint ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
}
