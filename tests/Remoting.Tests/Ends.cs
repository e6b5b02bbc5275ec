using System.Collections.Concurrent;
using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting.Tests;

/// <summary>One process' half of a link, as the hosts build it: an actor system, its pools, a peer, and an actor per target that keeps what comes.</summary>
internal sealed class End : IDisposable
{
    /// <summary>A deadline for what should take milliseconds: only a failing test waits so long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<int, IActorRef> _actors = new();
    private readonly BlockingCollection<(int Target, object Message, IActorRef Sender)> _messages = [];
    private readonly TaskCompletionSource<LinkClosure> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="isDeaf">Nobody here takes anything.</param>
    /// <param name="roles">Null = everything may be sent.</param>
    public End(string name, int frameFloats = 0, bool isDeaf = false, PeerRoles? roles = null)
    {
        System = ActorSystem.Create(name, ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }"));
        var callbacks = new PeerCallbacks((_, message, target) => isDeaf ? null : Actor(target), (_, closure) => _closed.TrySetResult(closure)) { Opened = _ => _opened.TrySetResult(), Refused = (_, sentence) => Refusals.Enqueue(sentence) };
        Peer = new RemotePeer(System, Buffers, callbacks, roles ?? PeerRoles.Everybody) { Ranges = Samples.RangeOf, MaxFloats = Samples.StateFloats, MostFrameFloats = frameFloats > 0 ? frameFloats : Limits.LinkBulkFloats };
    }

    public ActorSystem System { get; }
    public BufferPools Buffers { get; } = new();
    public RemotePeer Peer { get; }
    public ILink Link => Peer.Link!;

    /// <summary>What the other end sent and may not.</summary>
    public ConcurrentQueue<string> Refusals { get; } = new();

    private sealed class Keeper : ReceiveActor
    {
        public Keeper(int target, BlockingCollection<(int, object, IActorRef)> messages) => ReceiveAny(message => messages.Add((target, message, Sender)));
    }

    public IActorRef Actor(int target) => _actors.GetOrAdd(target, t => System.ActorOf(Props.Create(() => new Keeper(t, _messages)), "target-" + t.ToString(CultureInfo.InvariantCulture)));

    public (int Target, object Message, IActorRef Sender) Next() => _messages.TryTake(out var message, Patience) ? message : throw new TimeoutException($"nothing came; the link: {Peer.Link?.Closure}");

    public int Waiting => _messages.Count;

    public void WaitForOpen() => Assert.True(_opened.Task.Wait(Patience), "the link did not open");

    public LinkClosure WaitForClosed() => _closed.Task.Wait(Patience) ? _closed.Task.Result : throw new TimeoutException("the link did not end");

    /// <summary>After the end: no message is half there, and every buffer that came with the others is back.</summary>
    public void AssertNothingHeld()
    {
        Assert.Equal(0, Peer.Arriving);
        // Behind whatever still lies in the mailboxes.
        foreach (var actor in _actors.Values) Assert.True(actor.Ask<ActorIdentity>(new Identify(0), Patience).Wait(Patience));
        while (_messages.TryTake(out var message)) TensorMessage.Release(message.Message);
        Samples.AssertAllBack(Buffers.All);
    }

    public void Dispose()
    {
        System.Terminate().Wait(Patience);
        System.Dispose();
        _messages.Dispose();
        Buffers.Dispose();
    }
}

/// <summary>Two processes and a link between them. Near dials.</summary>
internal sealed class Ends : IDisposable
{
    private static int _count;
    private readonly ILinkListener _listener;

    public Ends(LinkTransportKind kind, End? near = null, End? far = null, LinkOptions? options = null)
    {
        (Near, Far) = (near ?? new End("near"), far ?? new End("far"));
        var number = Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);
        var address = LinkAddress.Parse(kind == LinkTransportKind.Unix ? "unix:" + Path.Combine(Path.GetTempPath(), $"remoting-{Environment.ProcessId}-{number}.sock") : "inproc:remoting-" + number);
        _listener = Links.Listen(address, new LinkListenerOptions { Self = Hello("far"), Admit = _ => LinkVerdict.Accept(Far.Peer), Options = options ?? LinkOptions.Default });
        Links.Connect(_listener.Address, new LinkDiallerOptions { Self = Hello("near"), Options = options ?? LinkOptions.Default }, Near.Peer);
        Near.WaitForOpen();
        Far.WaitForOpen();
        static LinkHello Hello(string name) => new("run", "worker", name, 1);
    }

    public End Near { get; }
    public End Far { get; }

    /// <summary>Ends the link and waits until both sides have let go of what was on its way.</summary>
    public void End(LinkEnd end = LinkEnd.Dismissed)
    {
        Near.Link.Close(end, "the test is over");
        Near.WaitForClosed();
        Far.WaitForClosed();
    }

    public void Dispose()
    {
        End();
        _listener.Dispose();
        Near.Dispose();
        Far.Dispose();
    }
}
