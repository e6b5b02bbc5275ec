using System.Net.Sockets;

namespace Cluster.Chaos.Proxy;

public sealed partial class FaultProxy
{
    /// <summary>Connections that were accepted after the last poll.</summary>
    private int _fresh;

    /// <summary>There has been a black hole since connections were last accepted.</summary>
    private bool _waitedOutHole;

    /// <summary>Disturbs one direction from now on, in place of what disturbed it before.</summary>
    /// <returns>Done when it is in force.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A rate below <see cref="FlowFaults.LeastBytesPerSecond"/>, a negative delay, or damage more often than its segments.</exception>
    public Task SetAsync(Flow flow, FlowFaults faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        if (!(faults.BytesPerSecond >= FlowFaults.LeastBytesPerSecond)) throw new ArgumentOutOfRangeException(nameof(faults), faults.BytesPerSecond, "bytes per second");
        if (faults.Delay < TimeSpan.Zero || faults.Jitter < TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(faults), faults, "a delay is negative");
        foreach (var (kind, every) in new[] { (DamageKind.Corrupt, faults.CorruptEvery), (DamageKind.Duplicate, faults.DuplicateEvery), (DamageKind.Reorder, faults.ReorderEvery) })
            if (every != 0 && every < StreamMangler.BytesOf(kind)) throw new ArgumentOutOfRangeException(nameof(faults), every, $"bytes between two of {kind}");
        return OrderAsync(now =>
        {
            _flows[(int)flow].Set(faults, now);
            foreach (var connection in _connections) connection.Adjust(now);
            return true;
        });
    }

    /// <summary>Resets all connections; new ones work.</summary>
    /// <returns>How many there were.</returns>
    public Task<int> CutAsync() => OrderAsync(_ =>
    {
        var count = _connections.Count;
        foreach (var connection in _connections)
        {
            connection.Close(isAbrupt: true, _armed);
            _told(new ProxyNote(connection.Number, connection.Route, "cut"));
        }
        _connections.Clear();
        return count;
    });

    /// <summary>Damages the next read of at least so many bytes, of whichever connection and direction it comes.</summary>
    /// <param name="leastBytes">At least <see cref="StreamMangler.BytesOf"/> the kind.</param>
    /// <returns>Armed when the outer task is done; the inner one ends with the damage, or cancelled with the proxy.</returns>
    public Task<Task<Damage>> DamageAsync(DamageKind kind, int leastBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(leastBytes, StreamMangler.BytesOf(kind));
        return OrderAsync(_ =>
        {
            var armed = new ArmedDamage(kind, leastBytes, new TaskCompletionSource<Damage>(TaskCreationOptions.RunContinuationsAsynchronously));
            _armed.Add(armed);
            return armed.Done.Task;
        });
    }

    /// <summary>The connections that are open now.</summary>
    public Task<IReadOnlyList<ProxyConnectionInfo>> ConnectionsAsync() =>
        OrderAsync(_ => (IReadOnlyList<ProxyConnectionInfo>)[.. _connections.Select(static c => c.Info)]);

    /// <exception cref="ObjectDisposedException">The proxy has ended.</exception>
    private async Task<T> OrderAsync<T>(Func<TimeSpan, T> order)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Enqueue(now => done.SetResult(order(now)));
        NativeSockets.SetEvent(_wake);
        // An order that came too late for the thread is still answered.
        if (_ended) while (_orders.TryDequeue(out var late)) late(Now);
        return await done.Task;
    }

    private void AcceptAll(TimeSpan now)
    {
        if (IsHole)
        {
            _waitedOutHole = true;
            return;
        }
        for (var i = 0; i < _listeners.Count; i++)
        {
            if (_polled[1 + i].Found == 0) continue;
            var (route, listener) = _listeners[i];
            while (_connections.Count < Contracts.Limits.ProxyConnections && TryAccept(listener) is { } dialler) Open(route, dialler, now);
        }
        _waitedOutHole = false;
    }

    private static Socket? TryAccept(Socket listener)
    {
        try
        {
            return listener.Accept();
        }
        catch (SocketException)
        {
            // Nobody waits any more, or the system has no descriptor left: the others go on.
            return null;
        }
    }

    private void Open(ProxyRoute route, Socket dialler, TimeSpan now)
    {
        // Who gave up while it waited for a hole to heal was never connected, as with TCP.
        if (_waitedOutHole && (NativeSockets.Look((int)dialler.SafeHandle.DangerousGetHandle(), NativeSockets.PollReadHup) & (NativeSockets.PollReadHup | NativeSockets.PollHup | NativeSockets.PollErr)) != 0)
        {
            dialler.Dispose();
            return;
        }
        var number = ++_lastNumber;
        Socket target;
        try
        {
            target = Make(route.Target);
            target.Blocking = false;
        }
        catch (SocketException e)
        {
            // No descriptor is left: this connection ends, the others go on.
            dialler.Dispose();
            _told(new ProxyNote(number, route, $"the target cannot be dialled ({e.Message})"));
            return;
        }
        var address = route.Target.Serialize();
        var error = NativeSockets.TryConnect(target.SafeHandle, address.Buffer.Span[..address.Size]);
        if (error is not (0 or NativeSockets.EINPROGRESS))
        {
            dialler.Dispose();
            target.Dispose();
            _told(new ProxyNote(number, route, $"the target does not take it ({System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error)})"));
            return;
        }
        foreach (var socket in new[] { dialler, target }) if (socket.AddressFamily != AddressFamily.Unix) socket.NoDelay = true;
        var connection = new ProxyConnection(number, route, dialler, target, error != 0, flow => _flows[(int)flow], _seed, Damaged);
        connection.Adjust(now);
        _connections.Add(connection);
        _fresh++;
        _told(new ProxyNote(number, route, "open"));
    }

    private void Damaged(ProxyConnection connection, Flow flow, Damage damage) =>
        _told(new ProxyNote(connection.Number, connection.Route, $"{damage}, on the way {(flow == Flow.Out ? "out" : "in")}", damage));
}
