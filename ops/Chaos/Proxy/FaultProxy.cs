using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Chaos.Proxy;

/// <summary>
/// The network of one node, with faults: listens, dials the target for each connection that comes, and passes bytes on. One
/// thread does all of it, so what is damaged follows from seed and bytes. Public members: any thread.
/// </summary>
public sealed partial class FaultProxy : IDisposable
{
    private const int Backlog = 512;

    private readonly ulong _seed;
    private readonly Action<ProxyNote> _told;
    private readonly List<(ProxyRoute Route, Socket Socket)> _listeners = [];
    private readonly List<ProxyConnection> _connections = [];
    private readonly List<ArmedDamage> _armed = [];
    private readonly FlowState[] _flows = [new(), new()];
    private readonly ConcurrentQueue<Action<TimeSpan>> _orders = new();
    private readonly byte[] _scratch = GC.AllocateUninitializedArray<byte>(Limits.ProxyReadBytes, pinned: true);
    private readonly int _wake;
    private readonly Thread _thread;
    private NativeSockets.PollDescriptor[] _polled = new NativeSockets.PollDescriptor[64];
    private int _lastNumber, _turn;
    private volatile bool _stopping, _ended;
    private bool _disposed;

    private FaultProxy(ulong seed, Action<ProxyNote> told)
    {
        (_seed, _told) = (seed, told);
        _wake = NativeSockets.MakeEvent();
        if (_wake < 0) throw new ClusterException("the system gives no event descriptor (eventfd): too many files are open");
        _thread = new Thread(Run) { IsBackground = true, Name = "fault proxy" };
    }

    /// <summary>Begins to listen and to pass bytes on, undisturbed.</summary>
    /// <param name="seed">Of every draw: jitter, and the places of damage.</param>
    /// <param name="told">Hears of connections and damage; on the proxy's thread, so it must not wait.</param>
    /// <exception cref="UserMistakeException">An address cannot be listened at.</exception>
    public static FaultProxy Start(IEnumerable<ProxyRoute> routes, ulong seed, Action<ProxyNote>? told = null)
    {
        var proxy = new FaultProxy(seed, told ?? (static _ => { }));
        try
        {
            foreach (var route in routes) proxy.Listen(route);
        }
        catch
        {
            proxy._thread.Start();
            proxy.Dispose();
            throw;
        }
        proxy._thread.Start();
        return proxy;
    }

    /// <summary>The routes, each with the address at which it listens.</summary>
    public IReadOnlyList<ProxyRoute> Routes => [.. _listeners.Select(static l => l.Route)];

    private static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    private void Listen(ProxyRoute route)
    {
        var socket = Make(route.Listen);
        try
        {
            socket.Bind(route.Listen);
            socket.Listen(Backlog);
            socket.Blocking = false;
            _listeners.Add((route with { Listen = socket.LocalEndPoint! }, socket));
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            socket.Dispose();
            throw new UserMistakeException($"cannot listen at {route.Listen}: {e.Message}; give a free address of this machine", e);
        }
    }

    private static Socket Make(EndPoint endPoint)
    {
        if (endPoint is UnixDomainSocketEndPoint) return new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
    }

    private bool IsHole => _flows[0].Faults.IsBlackHole || _flows[1].Faults.IsBlackHole;

    private void Run()
    {
        while (!_stopping)
        {
            var now = Now;
            while (_orders.TryDequeue(out var order)) order(now);
            Wait(now);
            now = Now;
            AcceptAll(now);
            PumpAll(now);
        }
        foreach (var connection in _connections) connection.Close(isAbrupt: true, _armed);
        _connections.Clear();
        _ended = true;
        while (_orders.TryDequeue(out var order)) order(Now);
        foreach (var armed in _armed) armed.Done.TrySetCanceled();
    }

    /// <summary>Descriptors in this order: the event, a listener each, two of each connection.</summary>
    private unsafe void Wait(TimeSpan now)
    {
        var count = 1 + _listeners.Count + (2 * _connections.Count);
        if (_polled.Length < count) _polled = new NativeSockets.PollDescriptor[2 * count];
        _polled[0] = new() { Descriptor = _wake, Wanted = NativeSockets.PollIn };
        var mayAccept = !IsHole && _connections.Count < Limits.ProxyConnections;
        var at = 1;
        foreach (var (_, socket) in _listeners) _polled[at++] = new() { Descriptor = mayAccept ? (int)socket.SafeHandle.DangerousGetHandle() : -1, Wanted = NativeSockets.PollIn };
        var wakeAt = TimeSpan.MaxValue;
        foreach (var connection in _connections)
        {
            var (dialler, diallerWanted, target, targetWanted) = connection.Wanted();
            _polled[at++] = new() { Descriptor = dialler, Wanted = diallerWanted };
            _polled[at++] = new() { Descriptor = target, Wanted = targetWanted };
            var wake = connection.WakeAt(now);
            if (wake < wakeAt) wakeAt = wake;
        }
        var milliseconds = wakeAt == TimeSpan.MaxValue ? -1 : (int)Math.Clamp(Math.Ceiling((wakeAt - now).TotalMilliseconds), 0, int.MaxValue);
        fixed (NativeSockets.PollDescriptor* first = _polled)
        {
            if (NativeSockets.Poll(first, (nuint)count, milliseconds) < 0)
            {
                // Interrupted: nothing is known, so everything is tried.
                for (var i = 0; i < count; i++) _polled[i].Found = _polled[i].Descriptor < 0 ? (short)0 : _polled[i].Wanted;
            }
        }
        if (_polled[0].Found != 0) NativeSockets.ClearEvent(_wake);
    }

    private void PumpAll(TimeSpan now)
    {
        // Whoever is first takes the tokens of a limited rate: everybody is, in turn. Those accepted just now have nothing polled.
        var first = 1 + _listeners.Count;
        var count = _connections.Count - _fresh;
        _fresh = 0;
        _turn = count == 0 ? 0 : (_turn + 1) % count;
        List<ProxyConnection>? ended = null;
        for (var n = 0; n < count; n++)
        {
            var i = (_turn + n) % count;
            var connection = _connections[i];
            if (_polled[first + (2 * i)].Found == 0 && _polled[first + (2 * i) + 1].Found == 0 && connection.WakeAt(now) > now) continue;
            if (connection.Pump(now, _scratch, _armed) is not var (sentence, isAbrupt)) continue;
            connection.Close(isAbrupt, _armed);
            _told(new ProxyNote(connection.Number, connection.Route, sentence));
            (ended ??= []).Add(connection);
        }
        foreach (var connection in ended ?? []) _connections.Remove(connection);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _stopping = true;
        NativeSockets.SetEvent(_wake);
        _thread.Join();
        foreach (var (route, socket) in _listeners)
        {
            socket.Dispose();
            if (route.Listen is UnixDomainSocketEndPoint unix) File.Delete(unix.ToString());
        }
        NativeSockets.CloseEvent(_wake);
    }
}
