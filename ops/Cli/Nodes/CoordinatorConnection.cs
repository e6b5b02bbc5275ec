using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>A node's way to its coordinator: dials, and dials again when the link is lost, until the run is over or patience ends.</summary>
/// <param name="route">For messages that are not about the node as a whole.</param>
/// <param name="handle">Told of <see cref="ShardNodes"/> and <see cref="RunLayout"/>, on the link's thread.</param>
internal sealed class CoordinatorConnection(
    ActorSystem system, BufferPools buffers, NodeOptions options, string listens, Func<RemotePeer, object, int, IActorRef?> route, Action<object> handle)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource<RunOver> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile RemotePeer? _peer;
    private string _runId = "", _name = options.Name;

    /// <summary>The coordinator's process while it is connected.</summary>
    public RemotePeer? Peer => _peer is { IsOpen: true } peer ? peer : null;

    /// <summary>The run has ended.</summary>
    public Task<RunOver> Over => _over.Task;

    /// <summary>
    /// Dials until the coordinator answers. Blocks: on a thread of its own, or at the start.
    /// </summary>
    /// <returns>What it said, and a task that ends with the link.</returns>
    /// <exception cref="UserMistakeException">It refuses this node, or cannot be found.</exception>
    public (Welcome Welcome, Task<LinkClosure> Closed) Connect(CancellationToken stop)
    {
        var deadline = DateTime.UtcNow + options.Patience;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            stop.ThrowIfCancellationRequested();
            var closed = new TaskCompletionSource<LinkClosure>(TaskCreationOptions.RunContinuationsAsynchronously);
            var peer = new RemotePeer(system, buffers, new PeerCallbacks(Route, (_, closure) => closed.TrySetResult(closure)));
            try
            {
                var hello = options with { Name = _name };
                var link = Links.Connect(options.Join!, new LinkDiallerOptions { Self = hello.Hello(_runId, listens) with { Incarnation = options.Incarnation }, Secret = options.Secret }, peer);
                var welcome = WireTypes.Read<Welcome>(link.Greeting);
                (_runId, _name) = (welcome.RunId, welcome.Name);
                _peer = peer;
                return (welcome, closed.Task);
            }
            catch (LinkRefusedException e)
            {
                throw new UserMistakeException($"the coordinator at {options.Join} refuses this node: {e.Message}", e);
            }
            catch (LinkUnreachableException e)
            {
                if (DateTime.UtcNow + pause > deadline) throw new UserMistakeException($"no coordinator answers at {options.Join} ({e.Message}): start it first, or check --join", e);
            }
            stop.WaitHandle.WaitOne(pause);
        }
    }

    private IActorRef? Route(RemotePeer peer, object message, int target)
    {
        switch (message)
        {
            case RunOver over:
                _over.TrySetResult(over);
                return null;
            case ShardNodes or RunLayout or StepNotice:
                handle(message);
                return null;
            default:
                return route(peer, message, target);
        }
    }

    /// <summary>
    /// Serves until the run is over: calls <paramref name="connected"/> after every successful dial, on this thread.
    /// </summary>
    /// <exception cref="UserMistakeException">The coordinator refuses this node, or does not come back.</exception>
    public void Serve(Welcome first, Task<LinkClosure> closed, Action<Welcome> connected, Action<LinkClosure> lost, CancellationToken stop)
    {
        var welcome = first;
        while (true)
        {
            connected(welcome);
            WaitHandleOf(closed, stop);
            if (_over.Task.IsCompleted || stop.IsCancellationRequested) return;
            var closure = closed.Result;
            if (closure is { End: LinkEnd.Dismissed, ByPeer: true }) throw new UserMistakeException($"the coordinator sent this node away: {closure.Sentence}");
            lost(closure);
            (welcome, closed) = Connect(stop);
        }
    }

    private void WaitHandleOf(Task<LinkClosure> closed, CancellationToken stop)
    {
        try
        {
            Task.WaitAny([closed, _over.Task], stop);
        }
        catch (OperationCanceledException)
        {
            // The caller sees the token.
        }
    }

    public void Close(string sentence) => _peer?.Link?.Close(LinkEnd.Finished, sentence);
}
