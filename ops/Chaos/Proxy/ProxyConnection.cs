using System.Net.Sockets;

namespace Cluster.Chaos.Proxy;

/// <summary>One connection through the proxy: who dialled, the connection dialled for it, and a pipe for each direction. Loop thread.</summary>
internal sealed class ProxyConnection
{
    private readonly Socket _dialler, _target;
    private readonly ProxyPipe _there, _back;
    private ProxyPipe.Status _thereStatus, _backStatus;
    private bool _isConnecting;

    /// <param name="isConnecting">The target has not answered yet.</param>
    public ProxyConnection(int number, ProxyRoute route, Socket dialler, Socket target, bool isConnecting, Func<Flow, FlowState> flows, ulong seed, Action<ProxyConnection, Flow, Damage> told)
    {
        (Number, Route, _dialler, _target, _isConnecting) = (number, route, dialler, target, isConnecting);
        var (there, back) = route.IsIncoming ? (Flow.In, Flow.Out) : (Flow.Out, Flow.In);
        _there = new ProxyPipe(dialler.SafeHandle, target.SafeHandle, flows(there), there, seed, number, damage => told(this, there, damage));
        _back = new ProxyPipe(target.SafeHandle, dialler.SafeHandle, flows(back), back, seed, number, damage => told(this, back, damage));
    }

    public int Number { get; }

    public ProxyRoute Route { get; }

    public ProxyConnectionInfo Info => Route.IsIncoming ? new(Number, Route, _back.Passed, _there.Passed) : new(Number, Route, _there.Passed, _back.Passed);

    /// <summary>What to poll for: the dialler's socket and the target's.</summary>
    public (int Dialler, short DiallerWanted, int Target, short TargetWanted) Wanted()
    {
        if (_isConnecting) return (-1, 0, Descriptor(_target), NativeSockets.PollOut);
        var dialler = (short)((_there.WantsRead ? NativeSockets.PollIn : 0) | (_back.WantsWrite ? NativeSockets.PollOut : 0));
        var target = (short)((_back.WantsRead ? NativeSockets.PollIn : 0) | (_there.WantsWrite ? NativeSockets.PollOut : 0));
        // A descriptor that nothing is wanted of would still report the end of its peer, again and again.
        return (dialler == 0 ? -1 : Descriptor(_dialler), dialler, target == 0 ? -1 : Descriptor(_target), target);
    }

    public TimeSpan WakeAt(TimeSpan now)
    {
        if (_isConnecting) return TimeSpan.MaxValue;
        var (there, back) = (_there.WakeAt(now), _back.WakeAt(now));
        return there < back ? there : back;
    }

    public void Adjust(TimeSpan now)
    {
        _there.Adjust(now);
        _back.Adjust(now);
    }

    /// <returns>Null while the connection lives; else how it ended, and whether that was abrupt.</returns>
    public (string Sentence, bool IsAbrupt)? Pump(TimeSpan now, Span<byte> scratch, List<ArmedDamage> armed)
    {
        if (_isConnecting)
        {
            if (_target.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error and not 0) return ($"the target does not take it ({new SocketException(error).Message})", true);
            _isConnecting = false;
        }
        if (_thereStatus == ProxyPipe.Status.Open) _thereStatus = _there.Pump(now, scratch, armed);
        if (_backStatus == ProxyPipe.Status.Open) _backStatus = _back.Pump(now, scratch, armed);
        return (_thereStatus, _backStatus) switch
        {
            (ProxyPipe.Status.Broken, _) or (_, ProxyPipe.Status.Broken) => ("one end broke it off", true),
            (ProxyPipe.Status.Ended, ProxyPipe.Status.Ended) => ("both ends are done", false),
            _ => null,
        };
    }

    /// <param name="isAbrupt">As if the network had reset it: with RST where it is TCP.</param>
    public void Close(bool isAbrupt, List<ArmedDamage> armed)
    {
        _there.Clear(armed);
        _back.Clear(armed);
        foreach (var socket in new[] { _dialler, _target })
        {
            if (isAbrupt && socket.AddressFamily != AddressFamily.Unix) socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }
    }

    private static int Descriptor(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();
}
