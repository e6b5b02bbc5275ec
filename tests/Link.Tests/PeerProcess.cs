using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>A peer in a process of its own. It sends bulk frames until its end, and is there to be killed or stopped.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    private PeerProcess(Process process) => _process = process;

    public static int Run(string address)
    {
        // Everything that comes goes back: an answer proves that the link is still open here.
        using var recorder = new Recorder { OnControl = (to, type, body) => to.SendControl(type, body) };
        using var tensor = NativeBuffer.Allocate(1 << 20);
        var link = Links.Connect(LinkAddress.Parse(address), Peers.Dialler("child"), recorder);
        while (link.SendBulk(1, [], tensor, 0, tensor.Length)) { }
        return 0;
    }

    public static PeerProcess Start(LinkAddress address)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
        start.ArgumentList.Add("peer");
        start.ArgumentList.Add(address.ToString());
        return new PeerProcess(Process.Start(start)!);
    }

    /// <summary>STOP or CONT.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", [$"-{name}", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public void Kill() => _process.Kill();

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
