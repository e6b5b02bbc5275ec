using Akka.Actor;
using Cluster.Chaos;
using Cluster.Contracts;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>
/// Stands before a shard's slot: while <see cref="FaultKind.Backlog"/> is in force, each message takes so much longer, one after
/// the other, as in a mailbox that is worked off too slowly; when it is over, everything that waits is handed on at once. Order is kept.
/// </summary>
internal sealed class BacklogActor : ReceiveActor, IWithTimers
{
    private sealed record Next;

    private readonly IActorRef _slot;
    private readonly NodeFaults _faults;
    private readonly Queue<(object Message, IActorRef Sender)> _waiting = new();
    private StepId _step;

    public BacklogActor(IActorRef slot, NodeFaults faults)
    {
        (_slot, _faults) = (slot, faults);
        Receive<Next>(_ =>
        {
            HandOn();
            Wind();
        });
        Receive<IReplicaInput>(Take);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(IActorRef slot, NodeFaults faults) => Akka.Actor.Props.Create(() => new BacklogActor(slot, faults));

    private void Take(IReplicaInput message)
    {
        var step = message switch
        {
            GradientNode m => m.Step,
            ApplyStep m => m.Record.Step,
            _ => _step,
        };
        if (step > _step) _step = step;
        _waiting.Enqueue((message, Sender));
        if (_waiting.Count == 1) Wind();
    }

    /// <summary>The first of those that wait is due after the backlog's time; without a backlog all are due now.</summary>
    private void Wind()
    {
        while (_waiting.Count > 0)
        {
            if (_faults.InForce(FaultKind.Backlog, _step) is { } backlog)
            {
                Timers.StartSingleTimer("next", new Next(), TimeSpan.FromMilliseconds(backlog["ms"]));
                return;
            }
            HandOn();
        }
    }

    private void HandOn()
    {
        if (_waiting.TryDequeue(out var first)) _slot.Tell(first.Message, first.Sender);
    }

    protected override void PostStop()
    {
        foreach (var (message, _) in _waiting) TensorMessage.Release(message);
        base.PostStop();
    }
}
