using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>Links to the nodes that hold shards, dialled by whoever needs them: workers, and nodes that hold the other copies.</summary>
/// <param name="connected">Told when a node is (again) reachable; on a thread of its own.</param>
/// <param name="news">Told of links over which damaged bytes came, or what their other end may not send.</param>
internal sealed class ShardDirectory(
    ActorSystem system, BufferPools buffers, NodeOptions options, Func<RemotePeer, object, int, IActorRef?> route, Action<NodeId> connected, NodeNews news) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Dismissed = TimeSpan.FromSeconds(1);

    private readonly Dictionary<NodeId, RemotePeer> _peers = [];
    private readonly HashSet<NodeId> _wanted = [];
    private readonly CancellationTokenSource _stop = new();
    private string _runId = "", _name = options.Name;
    private int _maxFloats;
    private Func<int, RangeOnWire>? _ranges;

    /// <summary>What dialling needs; before the first <see cref="Update"/>.</summary>
    public void Know(Welcome welcome, ParameterLayout layout, Func<int, RangeOnWire> ranges)
    {
        (_runId, _name) = (welcome.RunId, welcome.Name);
        _maxFloats = layout.StateFloats;
        _ranges = ranges;
    }

    /// <summary>Dials the new ones and lets go of those that are gone. Any thread; returns at once.</summary>
    /// <param name="self">This process's own node, which it does not dial.</param>
    public void Update(ShardNodes nodes, NodeId? self)
    {
        lock (_peers)
        {
            var now = nodes.Nodes.Where(n => n.Node != self).ToDictionary(static n => n.Node, static n => n.Address);
            foreach (var gone in _wanted.Where(n => !now.ContainsKey(n)).ToArray())
            {
                _wanted.Remove(gone);
                if (_peers.Remove(gone, out var peer)) peer.Link?.Close(LinkEnd.Finished, "the node has left the run");
            }
            foreach (var (node, address) in now)
                if (_wanted.Add(node)) new Thread(() => Keep(node, address)) { IsBackground = true, Name = $"dial {node}" }.Start();
        }
    }

    /// <summary>The slot of a shard; null while its node is not connected.</summary>
    public IActorRef? Find(ReplicaId replica)
    {
        lock (_peers) return _peers.TryGetValue(replica.Node, out var peer) && peer.IsOpen ? peer.Ref(replica.Shard.Index) : null;
    }

    /// <summary>As <see cref="Find"/>, but gives a node that is being dialled a moment. For threads that may wait.</summary>
    public IActorRef? Await(ReplicaId replica, TimeSpan patience)
    {
        var deadline = DateTime.UtcNow + patience;
        lock (_peers)
        {
            while (true)
            {
                if (_peers.TryGetValue(replica.Node, out var peer) && peer.IsOpen) return peer.Ref(replica.Shard.Index);
                var left = deadline - DateTime.UtcNow;
                if (left <= TimeSpan.Zero || !_wanted.Contains(replica.Node) || !Monitor.Wait(_peers, left)) return null;
            }
        }
    }

    private bool IsWanted(NodeId node)
    {
        lock (_peers) return _wanted.Contains(node) && !_stop.IsCancellationRequested;
    }

    private void Keep(NodeId node, string address)
    {
        while (IsWanted(node))
        {
            using var ended = new ManualResetEventSlim();
            var peer = new RemotePeer(system, buffers, new PeerCallbacks(route, (_, closure) => Ended(node, closure, ended)) { Refused = news.MessageRefused }, PeerRoles.Of(options.Role, NodeOptions.Shards)) { MaxFloats = _maxFloats, Ranges = _ranges };
            try
            {
                var hello = (options with { Name = _name }).Hello(_runId, "") with { Incarnation = options.Incarnation };
                var (way, dialling) = Detours.Of(LinkAddress.Parse(address), options.Dialling(hello, NodeOptions.Shards));
                peer.Dial(way, dialling);
            }
            catch (ClusterException)
            {
                // It may be dying, or just starting: the coordinator's list says when it is no longer wanted.
                _stop.Token.WaitHandle.WaitOne(Pause);
                continue;
            }
            lock (_peers)
            {
                if (!_wanted.Contains(node))
                {
                    peer.Link?.Close(LinkEnd.Finished, "the node has left the run");
                    return;
                }
                _peers[node] = peer;
                Monitor.PulseAll(_peers);
            }
            connected(node);
            try
            {
                ended.Wait(_stop.Token);
                // One that sends this node away will do so again: not at once.
                if (peer.Link?.Closure is { End: LinkEnd.Dismissed }) _stop.Token.WaitHandle.WaitOne(Dismissed);
            }
            catch (OperationCanceledException)
            {
                peer.Link?.Close(LinkEnd.Finished, "the node ends");
            }
        }
    }

    private void Ended(NodeId node, LinkClosure closure, ManualResetEventSlim ended)
    {
        if (LinkDamage.Sentence(_name, $"{NodeOptions.Shards}-{node.Index}", closure) is { } sentence) news.Happened(LinkDamage.Kind, sentence);
        ended.Set();
    }

    public void Dispose()
    {
        _stop.Cancel();
        lock (_peers)
        {
            _wanted.Clear();
            foreach (var peer in _peers.Values) peer.Link?.Close(LinkEnd.Finished, "the node ends");
        }
    }
}
