using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>A node's way to its coordinator: dials, and dials again when the link is lost, until the run is over or patience ends.</summary>
/// <param name="route">For messages that are not about the node as a whole.</param>
/// <param name="refused">Told when the coordinator sends what it may not send.</param>
/// <param name="handle">Told of <see cref="ShardNodes"/> and <see cref="RunLayout"/>, on the link's thread.</param>
internal sealed class CoordinatorConnection(
    ActorSystem system, BufferPools buffers, NodeOptions options, string listens, Func<RemotePeer, object, int, IActorRef?> route, Action<RemotePeer, string> refused,
    Action<object> handle)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a link may stay without a welcome: the longest hold-off of a name that comes and goes too often.</summary>
    private static readonly TimeSpan WelcomePatience = TimeSpan.FromSeconds(Limits.MaxHoldOffSeconds + 5);

    /// <summary>How long a place that somebody else has is asked for.</summary>
    private static readonly TimeSpan PlacePatience = TimeSpan.FromSeconds(Limits.TakenPlaceSeconds);

    private readonly TaskCompletionSource<RunOver> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StaticMember _member = new(
        options.Name.Length > 0 ? options.Name : null, options.Role == NodeOptions.Worker ? MemberRole.Worker : MemberRole.ParameterServer, options.Incarnation, listens, static _ => { });
    private volatile RemotePeer? _peer;
    private volatile MemberRefusal? _refusal;
    private volatile TaskCompletionSource<Welcome> _welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _runId = "";

    /// <summary>The coordinator's process while it is connected.</summary>
    public RemotePeer? Peer => _peer is { IsOpen: true } peer ? peer : null;

    /// <summary>This node's name in the run; null before the coordinator has given it one.</summary>
    public string? Name => _member.Name;

    /// <summary>Who is there, as the coordinator tells it.</summary>
    public IMembership Membership => _member;

    /// <summary>The run has ended.</summary>
    public Task<RunOver> Over => _over.Task;

    /// <summary>For a node that comes too late.</summary>
    public string OverSentence => $"there is nothing to do for this node: {_over.Task.Result.Reason}";

    /// <summary>Dials until the coordinator lets this node in. Blocks: on a thread of its own, or at the start.</summary>
    /// <returns>What it said, and a task that ends with the link; null when the run is over.</returns>
    /// <exception cref="UserMistakeException">It refuses this node, or cannot be found.</exception>
    public (Welcome Welcome, Task<LinkClosure> Closed)? Connect(CancellationToken stop)
    {
        var deadline = DateTime.UtcNow + options.Patience;
        // The process before this one may be dead without anybody having noticed; one that lives keeps its place.
        var place = DateTime.UtcNow + (options.Patience < PlacePatience ? options.Patience : PlacePatience);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            stop.ThrowIfCancellationRequested();
            string why;
            try
            {
                if (Try(stop) is { } joined) return joined;
                if (_over.Task.IsCompleted) return null;
                why = _refusal?.Sentence ?? "it let this node wait at the door";
                if (_refusal is not null && DateTime.UtcNow + pause > place) throw new UserMistakeException($"the coordinator at {options.JoinText} refuses this node: {why}");
            }
            catch (LinkRefusedException e)
            {
                throw new UserMistakeException($"the coordinator at {options.JoinText} refuses this node: {e.Message}", e);
            }
            catch (LinkUnreachableException e)
            {
                why = e.Message;
            }
            if (DateTime.UtcNow + pause > deadline) throw new UserMistakeException($"no coordinator lets this node in at {options.JoinText} ({why}): start it first, or check --join");
            stop.WaitHandle.WaitOne(pause);
        }
    }

    /// <summary>The same until <paramref name="told"/> has ended too: the link may be lost between the welcome and what follows it.</summary>
    /// <param name="what">That is told, for a sentence.</param>
    /// <exception cref="ClusterException">The coordinator keeps it to itself for longer than <paramref name="patience"/>.</exception>
    /// <inheritdoc cref="Connect"/>
    public (Welcome Welcome, Task<LinkClosure> Closed)? ConnectUntil(Task told, string what, TimeSpan patience, CancellationToken stop)
    {
        while (Connect(stop) is { } joined)
        {
            Task.WaitAny([told, joined.Closed, _over.Task], (int)patience.TotalMilliseconds, stop);
            if (told.IsCompleted) return joined;
            if (_over.Task.IsCompleted) break;
            if (!joined.Closed.IsCompleted) throw new ClusterException($"the coordinator at {options.JoinText} let this node in, but has not told {what} for {patience.TotalSeconds:0} s");
            Lost(joined.Closed.Result);
        }
        return null;
    }

    private (Welcome, Task<LinkClosure>)? Try(CancellationToken stop)
    {
        _refusal = null;
        var closed = new TaskCompletionSource<LinkClosure>(TaskCreationOptions.RunContinuationsAsynchronously);
        var welcome = _welcome = new TaskCompletionSource<Welcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        var peer = new RemotePeer(system, buffers, new PeerCallbacks(Route, (_, closure) => closed.TrySetResult(closure)) { Refused = refused }, PeerRoles.Of(options.Role, NodeOptions.Coordinator));
        var self = options.Hello(_runId, listens) with { Name = _member.Name ?? "" };
        var (address, dialling) = Detours.Of(options.JoinNow, options.Dialling(self, NodeOptions.Coordinator));
        peer.Dial(address, dialling);
        // A name that was lost comes back with a higher number: each connection has one of its own.
        peer.Send(_member.Hello with { Incarnation = DateTime.UtcNow.Ticks });
        if (Task.WaitAny([welcome.Task, closed.Task], (int)WelcomePatience.TotalMilliseconds, stop) == 0)
        {
            _runId = welcome.Task.Result.RunId;
            _peer = peer;
            return (welcome.Task.Result, closed.Task);
        }
        peer.Link?.Close(LinkEnd.Finished, "the node tries again");
        if (closed.Task is { IsCompletedSuccessfully: true, Result: { End: LinkEnd.Dismissed, ByPeer: true } dismissal }) throw new LinkRefusedException(dismissal.Sentence);
        return null;
    }

    private IActorRef? Route(RemotePeer peer, object message, int target)
    {
        switch (message)
        {
            case RunOver over:
                _over.TrySetResult(over);
                return null;
            case MemberWelcome welcome:
                _member.Welcomed(welcome);
                return null;
            case MembershipView view:
                _member.Told(view);
                return null;
            case Welcome welcome:
                _welcome.TrySetResult(welcome);
                return null;
            case MemberRefusal refusal:
                // The place may become free, but not over this link, which has said its hello.
                _refusal = refusal;
                if (refusal.TryAgain) peer.Link?.Close(LinkEnd.Finished, "the node tries again");
                return null;
            case ShardNodes or RunLayout or StepNotice:
                handle(message);
                return null;
            default:
                return route(peer, message, target);
        }
    }

    /// <summary>
    /// Serves until the run is over: calls <paramref name="connected"/> after every successful dial, on this thread. The link may be lost
    /// again by then, so that <see cref="Peer"/> is null: the next dial follows.
    /// </summary>
    /// <exception cref="UserMistakeException">The coordinator refuses this node, or does not come back.</exception>
    public void Serve(Welcome first, Task<LinkClosure> closed, Action<Welcome> connected, Action<LinkClosure> lost, CancellationToken stop)
    {
        var welcome = first;
        while (true)
        {
            connected(welcome);
            WaitHandleOf(closed, stop);
            // A link that ends with the run's end brings the news first.
            if (_over.Task.IsCompleted || stop.IsCancellationRequested) return;
            Lost(closed.Result);
            lost(closed.Result);
            if (Connect(stop) is not { } again) return;
            (welcome, closed) = again;
        }
    }

    /// <exception cref="UserMistakeException">The coordinator meant it.</exception>
    private void Lost(LinkClosure closure)
    {
        if (closure is { End: LinkEnd.Dismissed, ByPeer: true }) throw new UserMistakeException($"the coordinator sent this node away: {closure.Sentence}");
        _member.CoordinatorLost(closure.Sentence);
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

    /// <summary>Ends the link; what was sent before is written first.</summary>
    public void Close(string sentence)
    {
        _peer?.Link?.Close(LinkEnd.Finished, sentence);
        _member.Dispose();
    }
}
