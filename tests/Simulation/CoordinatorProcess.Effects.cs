using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

// What a coordinator does about a decision.
internal sealed partial class CoordinatorProcess
{
    private void Run(StepEffect effect)
    {
        if (World.IsTracing && effect is not (StepEffect.Drop or StepEffect.ToReplica)) World.Say(this, EventText.Of(effect));
        switch (effect)
        {
            case StepEffect.Grant grant:
                World.Invariants.Acts(this, "opened a step");
                Send(grant.Worker, State.Step.OrderOf(grant.Leases, default));
                World.Faults.Passes(FaultPoint.Granted, this);
                break;
            case StepEffect.Abandon abandon:
                var told = new StepAbandoned(State.Term, abandon.Step, abandon.Attempt, abandon.Reason, default);
                foreach (var place in State.Places) Send(place.PrimaryReplica, told);
                foreach (var worker in State.Step.Workers.Keys) Send(worker, told);
                World.Count("attempts abandoned");
                break;
            case StepEffect.StartBudget budget:
                var number = ++_budget;
                After(budget.Milliseconds, () =>
                {
                    if (number == _budget) Feed(new BudgetSpent(budget.Step, budget.Attempt));
                });
                break;
            case StepEffect.AppendCommit append:
                World.Invariants.Acts(this, "recorded a step");
                Append(append.Record);
                World.Faults.Passes(FaultPoint.AppendBegun, this);
                break;
            case StepEffect.SendApply apply:
                World.Invariants.Acts(this, "sent a record");
                World.Invariants.Sends(this, apply.Record);
                foreach (var shard in apply.Shards)
                {
                    if (!IsAlive) return;
                    Send(Primary(shard), new ApplyStep(State.Term, apply.Record, apply.Sum, default));
                    World.Faults.Passes(FaultPoint.ApplySent, this);
                }
                break;
            case StepEffect.AskShards ask:
                foreach (var shard in ask.Shards) Send(Primary(shard), new ReportAgain(ask.Sum, shard));
                foreach (var worker in State.Step.Workers.Keys) Send(worker, new PushAgain(ask.Sum.Term, ask.Sum.Step, ask.Sum.Attempt, ask.Shards));
                break;
            case StepEffect.Finished finished:
                World.Count(finished.Replayed ? "steps replayed" : "steps committed");
                Go(finished.Record.Step);
                break;
            case StepEffect.Say say:
                World.Count("said, " + say.Kind);
                break;
            case StepEffect.Drop drop:
                World.Count("dropped, " + drop.Reason);
                break;
            case StepEffect.Halt when World.Invariants.HaltsRightly(State):
                World.Count("halted for want of data");
                World.Damage.Mend();
                World.Faults.HealedAt = Math.Max(World.Faults.HealedAt, World.Now + 4_500);
                World.Supervisor.Crash(this);
                break;
            case StepEffect.Halt halt:
                throw new InvariantViolation(InvariantNames.NeverStuck, $"{this} halted the run: {halt.Reason}");
            case StepEffect.StartGrace grace:
                var patience = ++_grace;
                After(grace.Milliseconds, () =>
                {
                    if (patience == _grace) Feed(new GraceSpent());
                });
                break;
            case StepEffect.ToReplica message:
                if (World.IsTracing) World.Say(this, $"to {message.Replica}: {EventText.Of(message.Message)}");
                if (message.Message is not ClaimTerm) World.Invariants.Acts(this, "gave out places");
                Send(message.Replica, message.Message);
                World.Faults.Passes(message.Message is ClaimTerm ? FaultPoint.Claim : FaultPoint.Place, this);
                break;
            case StepEffect.LoadVersion load:
                World.Invariants.Acts(this, "had a version loaded");
                Load(load);
                break;
            case StepEffect.TellRoutes routes:
                Send(routes.Worker, routes.Routes);
                break;
            case StepEffect.InForce force:
                World.Invariants.InForce(this, force.Term);
                World.Faults.Passes(FaultPoint.InForce, this);
                break;
            case StepEffect.OpenNext open:
                Open(open);
                break;
            case StepEffect.WriteTerm write:
                WriteTerm(write);
                break;
            case StepEffect.AdoptLog adopt:
                World.Invariants.Acts(this, "took the log");
                Adopt(adopt.Promised);
                break;
            case StepEffect.StepDown down:
                World.Count("coordinators stepped down");
                End(down.Reason);
                break;
            default: throw new InvariantViolation(InvariantNames.NeverStuck, $"a coordinator has no way to {effect}");
        }
    }

    private void Load(StepEffect.LoadVersion load)
    {
        var (weights, momentum, applied) = load.Version == WeightsVersion.Initial
            ? (Arithmetic.FirstWeights(World.Scenario.Seed), new float[Arithmetic.Floats], 0L)
            : World.Disk.Checkpoints[load.Version];
        if (World.IsTracing) World.Say(this, $"loads version {load.Version}");
        foreach (var replica in load.Replicas)
        {
            if (!IsAlive) return;
            var (shard, shards) = (replica.Shard.Index, World.Scenario.Shards);
            Send(replica, new LoadShard(State.Term, load.Version, null!, NoSlots, applied, default),
                new ShardTensors(Arithmetic.Slice(weights, shard, shards), null, Arithmetic.Slice(momentum, shard, shards)));
            World.Faults.Passes(FaultPoint.Load, this);
        }
    }

    private static readonly Dictionary<string, NativeBuffer> NoSlots = [];

    private void Open(StepEffect.OpenNext open)
    {
        if (open.Step.Value > World.Scenario.Steps)
        {
            // The last version is kept like every other checkpoint; then the run is over.
            if (World.Disk.Checkpoints.ContainsKey(new StepId(World.Scenario.Steps).Produces)) Finish();
            else Keep(new StepId(World.Scenario.Steps).Produces);
            return;
        }
        _next.Enqueue(new OpenStep(World.Scenario.Plan(open.Step), Scenario.LearningRate(open.Step), open.Recorded) { Ahead = [.. open.Ahead], HaveSums = open.HaveSums });
    }

    private void Finish()
    {
        World.IsFinished = true;
        End("the run is over");
    }

    /// <summary>Between two steps: the checkpoint, if one is due.</summary>
    private void Go(StepId step)
    {
        var isDue = World.Scenario.CheckpointEvery > 0 && step.Value % World.Scenario.CheckpointEvery == 0;
        if (isDue && !World.Disk.Checkpoints.ContainsKey(step.Produces)) Keep(step.Produces);
        else _next.Enqueue(new GoOn());
    }
}
