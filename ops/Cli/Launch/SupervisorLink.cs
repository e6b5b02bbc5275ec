using System.Collections.Concurrent;
using System.Text;
using Akka.Actor;
using Cluster.Cli.Hosting;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Remoting;

namespace Cluster.Cli.Launch;

/// <summary>
/// The supervisor's link to the coordinator: hears of steps, strikes faults inside them, and tells what happened to
/// processes. While the coordinator is away (it may be the one that died) what happened is kept.
/// </summary>
/// <param name="tls">The supervisor's certificate; null = none. Stays the caller's.</param>
/// <param name="faulty">The steps with faults: the coordinator holds their records until it hears that they have struck.</param>
internal sealed class SupervisorLink(LinkAddress coordinator, string secret, LinkTls? tls, IReadOnlySet<StepId> faulty) : IAsyncDisposable
{
    /// <summary>Events that are kept for a coordinator that is away; older ones have been printed.</summary>
    private const int MostKept = 1000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ActorSystem _system = ActorSystem.Create("supervisor", ActorConfiguration.Create());
    private readonly BufferPools _buffers = new();
    private readonly ConcurrentQueue<ProcessEvent> _events = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _sending = new();
    private volatile RemotePeer? _peer;
    private Supervisor? _supervisor;
    private bool _isAsked;
    private FaultInjector? _faults;

    public void Start(Supervisor supervisor, FaultInjector faults)
    {
        (_supervisor, _faults) = (supervisor, faults);
        new Thread(Keep) { IsBackground = true, Name = "supervisor link" }.Start();
    }

    /// <summary>BeginStep of a step was sent; link's thread.</summary>
    public Action<StepId>? Begun { get; init; }

    /// <summary>Told why the coordinator does not let the supervisor in; the link's own thread.</summary>
    public Action<string> Said { get; init; } = static _ => { };

    /// <summary>For events.jsonl.</summary>
    public void Happened(string kind, string node, string sentence)
    {
        if (_events.Count < MostKept) _events.Enqueue(new ProcessEvent(kind, node, sentence, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        Send();
    }

    /// <summary>A checkpoint is wanted. One that starts takes the signal for its end, so it is kept until the coordinator is there. Any thread.</summary>
    public void AskForCheckpoint()
    {
        lock (_sending) _isAsked = true;
        Send();
    }

    private void Send()
    {
        lock (_sending)
        {
            if (_isAsked && _peer is { IsOpen: true } && _supervisor is { } supervisor)
            {
                _isAsked = false;
                supervisor.RequestCheckpoint();
            }
            while (_peer is { IsOpen: true } peer && _events.TryPeek(out var next))
            {
                if (!peer.Send(next)) return;
                _events.TryDequeue(out _);
            }
        }
    }

    private void Keep()
    {
        var options = new NodeOptions(NodeOptions.Supervisor, NodeOptions.Supervisor, coordinator, null, Encoding.UTF8.GetBytes(secret)) { Tls = tls };
        var refused = "";
        while (!_stop.IsCancellationRequested)
        {
            using var ended = new ManualResetEventSlim();
            var peer = new RemotePeer(_system, _buffers, new PeerCallbacks(Route, (_, _) => ended.Set()) { Refused = Refused }, PeerRoles.Of(NodeOptions.Supervisor, NodeOptions.Coordinator));
            try
            {
                peer.Dial(coordinator, options.Dialling(options.Hello("", ""), NodeOptions.Coordinator));
                _peer = peer;
                Send();
                ended.Wait(_stop.Token);
            }
            catch (LinkRefusedException e)
            {
                // The run goes on without its supervisor's word; once said, it is known.
                if (e.Message != refused) Said(refused = e.Message);
            }
            catch (ClusterException)
            {
                // Not there yet, or not there any more: the supervisor restarts it.
            }
            catch (OperationCanceledException)
            {
                return;
            }
            _stop.Token.WaitHandle.WaitOne(Pause);
        }
    }

    private IActorRef? Route(RemotePeer peer, object message, int target)
    {
        if (message is RestartNode restart && _supervisor!.Has(restart.Name)) _supervisor.RequestRestart(restart.Name, restart.Reason);
        if (message is not StepNotice notice) return null;
        if (notice.IsRecorded)
        {
            _supervisor!.Committed(notice.Step);
            _faults!.Recorded(notice.Step);
        }
        else
        {
            Begun?.Invoke(notice.Step);
            // A coordinator that took over asks again for what has struck already.
            if (faulty.Contains(notice.Step)) _ = StrikeAsync(peer, notice.Step);
        }
        return null;
    }

    private void Refused(RemotePeer peer, string sentence) => Happened(NodeRegistry.RefusedMessage, NodeOptions.Coordinator, $"{sentence}: the link is closed.");

    private async Task StrikeAsync(RemotePeer peer, StepId step)
    {
        await _faults!.StrikeAsync(step);
        peer.Send(new FaultsStruck(step));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _system.Terminate();
        _system.Dispose();
        _buffers.Dispose();
    }
}
