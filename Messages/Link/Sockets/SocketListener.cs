using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>
/// Listens, and leads all handshakes on one thread: whoever says nothing costs a descriptor and a buffer of a few KiB, of which
/// there are at most <see cref="Limits.LinkHalfOpen"/>, and no thread.
/// </summary>
internal sealed partial class SocketListener : ILinkListener
{
    /// <summary>Connections that the kernel completes before we accept them.</summary>
    private const int Backlog = 1024;

    private readonly Socket _socket;
    private readonly LinkListenerOptions _options;
    private readonly List<HalfOpen> _halfOpen = [];
    private readonly Dictionary<ulong, PendingLink> _pending = [];
    private readonly NativeMethods.PollDescriptor[] _descriptors = new NativeMethods.PollDescriptor[Limits.LinkHalfOpen + 1];
    private readonly Thread _thread;

    /// <summary>Of a Unix socket: what it is called at its path.</summary>
    private readonly SocketFile? _file;
    private volatile bool _stopped;
    private int _halfOpenCount;

    private SocketListener(LinkAddress address, Socket socket, LinkListenerOptions options)
    {
        (Address, _socket, _options) = (address, socket, options);
        if (address.Kind == LinkTransportKind.Unix) _file = SocketFile.At(address.Name);
        _thread = new Thread(Run) { IsBackground = true, Name = "link listener" };
        _thread.Start();
    }

    public LinkAddress Address { get; }

    public int HalfOpen => Volatile.Read(ref _halfOpenCount);

    public static SocketListener Open(LinkAddress address, LinkListenerOptions options)
    {
        if (address.Kind == LinkTransportKind.Tcp) options.Tls?.Demand(CertificateRules.ServerUsage);
        var endPoint = address.Resolve();
        if (!Links.IsLocal(endPoint))
        {
            if (options.Tls is null && !options.Insecure) throw new UserMistakeException($"{address} can be reached by other machines, and the traffic is not encrypted: give --tls DIR, listen on 127.0.0.1, or allow it (--insecure)");
            if (options.Tls is null && options.Secret.IsEmpty) throw new UserMistakeException($"{address} can be reached by other machines: set a join secret, or listen on 127.0.0.1");
        }
        var socket = SocketSetup.Make(endPoint);
        try
        {
            if (endPoint is UnixDomainSocketEndPoint) RemoveStale(address, endPoint);
            else socket.SetRawSocketOption(NativeMethods.SolSocket, NativeMethods.SoReuseAddress, BitConverter.GetBytes(1));
            socket.Bind(endPoint);
            // Only this user may connect; the folder should say the same.
            if (address.Kind == LinkTransportKind.Unix && !OperatingSystem.IsWindows()) File.SetUnixFileMode(address.Name, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen(Backlog);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new UserMistakeException($"cannot listen on {address}: {Reason(e)}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        var actual = socket.LocalEndPoint is IPEndPoint ip ? address with { Port = ip.Port } : address;
        return new SocketListener(actual, socket, options);
    }

    private static string Reason(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "another process listens there already; stop it, or choose another address",
        SocketError.AddressNotAvailable => "this machine does not have that address; choose one of its own",
        SocketError.AccessDenied => "this user may not; choose a port above 1023, or a folder that it may write to",
        _ => e.Message + "; choose another address",
    };

    /// <summary>The socket file of a process that died stays; nobody answers at it, so it may go.</summary>
    private static void RemoveStale(LinkAddress address, EndPoint endPoint)
    {
        if (!File.Exists(address.Name))
        {
            if (!Directory.Exists(Path.GetDirectoryName(address.Name))) throw new UserMistakeException($"cannot listen on {address}: its folder does not exist; create it, or choose another");
            return;
        }
        using var probe = SocketSetup.Make(endPoint);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // Connecting to a file of another kind is refused too, and that file is somebody's.
            if (!IsSocket(address.Name)) throw new UserMistakeException($"cannot listen on {address}: a file of that name is there; choose another", e);
            File.Delete(address.Name);
        }
        // If someone answered, binding will say that the address is taken.
    }

    private static bool Answers(EndPoint endPoint)
    {
        using var probe = SocketSetup.Make(endPoint);
        try
        {
            probe.Connect(endPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A socket is the one kind of existing file that cannot be opened (ENXIO, open(2)).</summary>
    private static bool IsSocket(string path)
    {
        try
        {
            using var _ = File.OpenHandle(path);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose()
    {
        if (_stopped) return;
        _stopped = true;
        _ = NativeMethods.Shutdown(_socket.SafeHandle, NativeMethods.ShutdownBoth);   // wakes the poll
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private unsafe void Run()
    {
        while (!_stopped)
        {
            var now = HeartbeatThread.Now;
            Expire(now);
            var next = _halfOpen.Select(h => h.Deadline).Concat(_pending.Values.Select(p => p.Deadline)).DefaultIfEmpty(now + TimeSpan.FromSeconds(1)).Min();
            var count = 0;
            _descriptors[count++] = new NativeMethods.PollDescriptor { Descriptor = (int)_socket.SafeHandle.DangerousGetHandle(), Wanted = NativeMethods.PollIn };
            foreach (var halfOpen in _halfOpen) _descriptors[count++] = new NativeMethods.PollDescriptor { Descriptor = halfOpen.Channel.Descriptor, Wanted = NativeMethods.PollIn };
            fixed (NativeMethods.PollDescriptor* first = _descriptors) _ = NativeMethods.Poll(first, (nuint)count, (int)Math.Clamp((next - now).TotalMilliseconds + 1, 1, 1000));
            if (_stopped) break;
            // Those who are in the middle come first: a crowd at the door must not push them out unheard.
            for (var i = count - 1; i > 0; i--)
            {
                if (_descriptors[i].Found != 0) Hear(_halfOpen[i - 1]);
            }
            if (_descriptors[0].Found != 0) Accept();
            Volatile.Write(ref _halfOpenCount, _halfOpen.Count);
        }
        foreach (var halfOpen in _halfOpen) halfOpen.Dispose();
        foreach (var pending in _pending.Values) pending.Abandon();
        // Disposing the Socket, or finalizing it, would delete whatever file is at its path by now: only its descriptor is closed.
#pragma warning disable CA1816 // this object has no finalizer, the socket has
        GC.SuppressFinalize(_socket);
#pragma warning restore CA1816
        _socket.SafeHandle.Dispose();
        // Whoever took the path over keeps it: its file is another one, and answers.
        if (Address.Kind == LinkTransportKind.Unix && SocketFile.At(Address.Name) == _file && !Answers(Address.Resolve())) File.Delete(Address.Name);
        Volatile.Write(ref _halfOpenCount, 0);
    }

    private void Expire(TimeSpan now)
    {
        for (var i = _halfOpen.Count - 1; i >= 0; i--)
        {
            if (_halfOpen[i].Deadline <= now) TurnAway(_halfOpen[i], LinkRefusalReason.Deadline, "the handshake was not finished in time");
        }
        foreach (var pending in _pending.Values.Where(p => p.Deadline <= now).ToArray()) Drop(pending, LinkRefusalReason.Deadline, "not all connections of the link came in time");
    }

    private void Accept()
    {
        Socket accepted;
        try
        {
            accepted = _socket.Accept();
        }
        catch (SocketException e)
        {
            if (_stopped) return;
            // Out of descriptors, most likely: those who have said nothing go first. With nobody to turn away the pause keeps this from spinning.
            if (_halfOpen.Count > 0) TurnAway(Oldest(), LinkRefusalReason.Crowded, $"this node has no room for another connection ({e.Message})");
            else Thread.Sleep(10);
            return;
        }
        try
        {
            SocketSetup.Prepare(accepted);
        }
        catch (SocketException)
        {
            accepted.Dispose();
            return;
        }
        if (_halfOpen.Count >= Limits.LinkHalfOpen) TurnAway(Oldest(), LinkRefusalReason.Crowded, "too many connections are half open; try again");
        var socket = new SocketChannel(accepted);
        IChannel channel = _options.Tls is { } tls && Address.Kind == LinkTransportKind.Tcp ? TlsChannel.Accepted(socket, tls) : socket;
        _halfOpen.Add(new HalfOpen(channel, _options.Self, _options.Secret, HeartbeatThread.Now + _options.Options.HandshakeLimit));
    }

    /// <summary>The oldest of those who have not even said hello; if all have, the oldest.</summary>
    private HalfOpen Oldest() => _halfOpen.Find(h => h.Handshake.Hello is null) ?? _halfOpen[0];
}
