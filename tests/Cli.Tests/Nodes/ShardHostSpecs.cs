using System.Collections.Concurrent;
using Akka.Actor;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Remoting;

namespace Cluster.Cli.Tests.Nodes;

/// <summary>A node that holds shards whose coordinator comes and goes while it joins.</summary>
[Trait("Clock", "wall")]
public sealed class ShardHostSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly byte[] Secret = Door.Bytes(Door.Secret);
    private static readonly NodeReady IsReady = new("", Door.Layout.Hash, "", "");

    private readonly ActorSystem _system = ActorSystem.Create("coordinator", ActorConfiguration.Create());
    private readonly BufferPools _buffers = new();
    private readonly BlockingCollection<NodeReady> _ready = [];
    private int _joined;

    public void Dispose()
    {
        _system.Terminate().Wait(Patience);
        _system.Dispose();
        _buffers.Dispose();
    }

    [Fact]
    public async Task Link_lost_between_the_welcome_and_the_layout_is_dialled_again()
    {
        await Serve((attempt, peer) =>
        {
            Welcome(peer);
            if (attempt == 1) Lose(peer);
            else peer.Send(RunLayout.Of(Door.Layout));
        });
        Assert.Equal((2, IsReady), (_joined, Assert.Single(_ready)));
    }

    [Fact]
    public async Task Link_lost_before_the_node_can_say_that_it_is_ready_is_dialled_again()
    {
        await Serve((attempt, peer) =>
        {
            Welcome(peer);
            peer.Send(RunLayout.Of(Door.Layout));
            if (attempt == 1) Lose(peer);
        });
        Assert.Equal((2, IsReady), (_joined, Assert.Single(_ready)));
    }

    [Fact]
    public async Task Run_that_ends_before_the_layout_came_lets_the_node_go_in_order()
    {
        await Serve((_, peer) =>
        {
            Welcome(peer);
            End(peer);
        });
        Assert.Equal((1, 0), (_joined, _ready.Count));
    }

    [Fact]
    public async Task Node_that_is_sent_away_before_the_layout_came_says_why()
    {
        var sent = await Assert.ThrowsAsync<UserMistakeException>(() => Serve((_, peer) =>
        {
            Welcome(peer);
            peer.Link!.Close(LinkEnd.Dismissed, "its place is taken");
        }));
        Assert.StartsWith("the coordinator", sent.Message);
        Assert.EndsWith(": its place is taken", sent.Message);
    }

    /// <summary>Runs a node until the coordinator lets it go, which it does when the node is ready.</summary>
    /// <param name="joined">Called for each hello, counted from 1.</param>
    private async Task Serve(Action<int, RemotePeer> joined)
    {
        var node = new NodeOptions(NodeOptions.Shards, "ps-0", Address(), Address(), Secret);
        using var listener = Links.Listen(node.Join!, new LinkListenerOptions
        {
            Self = new LinkHello(Door.RunId, NodeOptions.Coordinator, NodeOptions.Coordinator, 1, WireTypes.Write(new JoinNote(ProgramVersion.Text, "", "here", 1))),
            Secret = Secret,
            Admit = _ => LinkVerdict.Accept(new RemotePeer(_system, _buffers, new PeerCallbacks(Route, static (_, _) => { }), PeerRoles.Of(NodeOptions.Coordinator, NodeOptions.Shards))),
        });
        using var patience = new CancellationTokenSource(Patience);
        await ShardHost.RunAsync(node, patience.Token);

        IActorRef? Route(RemotePeer peer, object message, int target)
        {
            if (message is MemberHello) joined(Interlocked.Increment(ref _joined), peer);
            if (message is not NodeReady ready) return null;
            _ready.Add(ready);
            End(peer);
            return null;
        }
    }

    private static LinkAddress Address() => LinkAddress.Parse($"inproc:{Guid.NewGuid():N}");

    private static void Welcome(RemotePeer peer)
    {
        peer.Send(new MemberWelcome("ps-0", new MembershipView(1, new Term(1), null, [], "")));
        peer.Send(new Welcome(Door.RunId, "ps-0", OptionTexts.Of(new RunOptions { Ps = 1 }), "data", Door.Layout.Hash, TotalSteps: 10, new Term(0), "/nowhere"));
    }

    private static void Lose(RemotePeer peer) => peer.Link!.Close(LinkEnd.Finished, "another coordinator carries the run");

    private static void End(RemotePeer peer)
    {
        peer.Send(new RunOver(false, "the run is over"));
        peer.Link!.Close(LinkEnd.Finished, "the run is over");
    }
}
