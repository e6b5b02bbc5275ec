using System.Diagnostics;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// Carries out what the protocol decided.
public sealed partial class CoordinatorActor
{
    private void Run(StepEffect effect)
    {
        switch (effect)
        {
            case StepEffect.Grant grant:
                foreach (var run in grant.Leases) _leased += run.Count;
                ToWorker(grant.Worker, Step.OrderOf(grant.Leases, _leases.Granted(grant, Step.Attempt, _stepTrace)));
                break;
            case StepEffect.Abandon abandon:
                Abandon(abandon);
                break;
            case StepEffect.StartBudget budget:
                Timers.StartSingleTimer("budget", new BudgetSpent(budget.Step, budget.Attempt), TimeSpan.FromMilliseconds(budget.Milliseconds));
                break;
            case StepEffect.AppendCommit append:
                EndNormRound();
                _leases.End(error: null);
                Commit(append.Record);
                break;
            case StepEffect.SendApply apply:
                foreach (var shard in apply.Shards) ToReplica(_run.Places[shard.Index].PrimaryReplica, new ApplyStep(Step.Term, apply.Record, apply.Sum, _stepTrace));
                break;
            case StepEffect.AskShards ask:
                foreach (var shard in ask.Shards) ToReplica(_run.Places[shard.Index].PrimaryReplica, new ReportAgain(ask.Sum, shard));
                foreach (var worker in Step.Workers.Keys) ToWorker(worker, new PushAgain(ask.Sum.Term, ask.Sum.Step, ask.Sum.Attempt, ask.Shards));
                break;
            case StepEffect.Finished finished:
                Finish(finished.Record, finished.Replayed);
                break;
            case StepEffect.StartGrace grace:
                Timers.StartSingleTimer("grace", new GraceSpent(), TimeSpan.FromMilliseconds(grace.Milliseconds));
                break;
            case StepEffect.WriteTerm write:
                WriteTerm(write);
                break;
            case StepEffect.ToReplica message:
                ToReplica(message.Replica, message.Message);
                break;
            case StepEffect.AdoptLog adopt:
                Adopt(adopt.Promised);
                break;
            case StepEffect.LoadVersion load:
                Load(load);
                break;
            case StepEffect.TellRoutes tell:
                ToWorker(tell.Worker, tell.Routes);
                break;
            case StepEffect.InForce:
                InForce();
                break;
            case StepEffect.OpenNext open:
                _next = open;
                BetweenSteps();
                break;
            case StepEffect.StepDown down:
                End(RunEnd.SteppedDown, down.Reason, null);
                break;
            case StepEffect.Drop drop:
                ClusterTelemetry.RefusedMessages.Add(1, new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Reason, drop.Reason));
                break;
            case StepEffect.Say say:
                _listener.Said(say.Kind, say.Node, say.Sentence);
                break;
            case StepEffect.Replace replace:
                _listener.Stuck(replace.Worker, replace.Reason);
                break;
            case StepEffect.Halt halt:
                EndStepSpan(halt.Reason);
                End(RunEnd.Failed, halt.Reason, null);
                break;
            default:
                throw new ClusterException($"no way to carry out {effect}");
        }
    }

    private void ToWorker(WorkerId worker, object message)
    {
        if (_workers.TryGetValue(worker, out var actor)) actor.Tell(message, Self);
    }

    private void ToReplica(ReplicaId replica, object message)
    {
        // A node that has just gone: its loss is in the mailbox already.
        if (_nodes.TryGetValue(replica.Node, out var slots)) slots[replica.Shard.Index].Tell(message, Self);
    }

    private void Abandon(StepEffect.Abandon abandon)
    {
        EndNormRound();
        _leases.End(abandon.Reason);
        var message = new StepAbandoned(Step.Term, abandon.Step, abandon.Attempt, abandon.Reason, _stepTrace);
        foreach (var place in _run.Places) ToReplica(place.PrimaryReplica, message);
        foreach (var worker in Step.Workers.Keys) ToWorker(worker, message);
    }
}
