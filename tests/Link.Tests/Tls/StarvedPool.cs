using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>A process whose thread pool never gets anything done, as under native compute; it talks to itself under TLS.</summary>
internal static class StarvedPool
{
    public const string Success = "control, bulk and heartbeats came";

    public static int Run()
    {
        ThreadPool.GetMinThreads(out var least, out var leastPorts);
        if (!ThreadPool.SetMaxThreads(Math.Max(least, Environment.ProcessorCount), leastPorts)) return Say("the pool cannot be bounded");
        using var never = new ManualResetEventSlim();
        ThreadPool.GetMaxThreads(out var most, out _);
        for (var i = 0; i < 4 * most; i++) ThreadPool.QueueUserWorkItem(_ => never.Wait());
        using var probe = new ManualResetEventSlim();
        SpinWait.SpinUntil(() => ThreadPool.ThreadCount >= most, Recorder.Patience);
        ThreadPool.QueueUserWorkItem(_ => probe.Set());
        if (probe.Wait(300)) return Say("the pool still works, so this proves nothing");

        using var peers = Peers.Connect(LinkTransportKind.Tcp, tls: Pki.Shared);
        peers.Near.Link.SendControl(1, new byte[100_000]);
        peers.Far.Link.SendControl(2, [1]);
        using var tensor = NativeBuffer.Allocate(1_000_000);
        tensor.Span.Fill(5);
        peers.Near.Link.SendBulk(3, [], tensor, 0, tensor.Length);
        if (peers.Far.NextControl().Body.Length != 100_000 || peers.Near.NextControl().Type != 2) return Say("control messages differ");
        using (var arrival = peers.Far.NextBulk())
        {
            if (arrival.Values.IndexOfAnyExcept(5) >= 0) return Say("the tensor differs");
        }
        if (!SpinWait.SpinUntil(() => peers.Near.Link.RoundTrip is not null && peers.Far.Link.RoundTrip is not null, Recorder.Patience)) return Say("no heartbeats came");
        return peers.Near.Closure is { } closure ? Say($"the link ended: {closure}") : Say(Success);
    }

    private static int Say(string text)
    {
        Console.WriteLine(text);
        Console.Out.Flush();
        // The blocked pool would keep the process.
        Environment.Exit(0);
        return 0;
    }
}
