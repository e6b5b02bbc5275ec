using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>Watches the whole world, as no process could: every promise is checked where it could be broken, at every event.</summary>
internal sealed class Invariants(World world)
{
    private readonly Dictionary<(ReplicaId, Term), long> _promises = [];
    private readonly Dictionary<ReplicaId, Term> _inForce = [];
    private readonly Dictionary<ReplicaId, WeightsVersion> _held = [];
    private readonly List<CommitRecord> _decided = [];

    /// <summary>As it was in the beginning: data is mended later on.</summary>
    private readonly HashSet<int> _damaged = [.. Enumerable.Range(0, world.Scenario.TrainingSamples).Where(world.Damage.IsDamaged)];
    private (LogFile? File, int Length) _seen;

    /// <summary>A replica is about to give its word to a claimant of a term.</summary>
    public void Promised(ReplicaId replica, ClaimTerm claim) => _promises[(replica, claim.Term)] = claim.Claimant;

    /// <summary>A coordinator does what only a term allows.</summary>
    public void Acts(CoordinatorProcess coordinator, string what)
    {
        var state = coordinator.State;
        foreach (var replica in state.Reports.Keys)
        {
            if (_promises.TryGetValue((replica, state.Term), out var claimant) && claimant == state.Claimant) continue;
            throw new InvariantViolation(InvariantNames.AllPromisedFirst, $"{coordinator} {what} in term {state.Term}, which {replica} has not promised it");
        }
        if (state.Reports.IsEmpty) throw new InvariantViolation(InvariantNames.AllPromisedFirst, $"{coordinator} {what} in term {state.Term} although nobody has promised it");
    }

    public void InForce(CoordinatorProcess coordinator, Term term)
    {
        Acts(coordinator, "said that its term is in force");
        foreach (var replica in coordinator.State.Reports.Keys)
            if (!_inForce.TryGetValue(replica, out var known) || known < term) _inForce[replica] = term;
        world.Count("terms in force");
        foreach (var place in coordinator.State.Places)
            if (coordinator.State.Reports.TryGetValue(place.PrimaryReplica, out var report) && report is { WasPrimary: false, Version: not null }) world.Count("promotions");
        foreach (var place in coordinator.State.Places)
        {
            if (place.Standby is not { } standby || Scenario.HostOf(place.Primary) != Scenario.HostOf(standby)) continue;
            world.Count("standbys on the same host");
            if (coordinator.State.Reports.Keys.Any(r => Scenario.HostOf(r.Node) != Scenario.HostOf(place.Primary)))
                throw new InvariantViolation(InvariantNames.StandbyElsewhere, $"{coordinator} put the standby of {place.Shard} on {standby}, on the host of {place.Primary}, in term {term}");
        }
    }

    /// <summary>A replica did something because of a message.</summary>
    public void Obeys(ReplicaId replica, IReplicaInput sent, string what)
    {
        var term = sent.Term;
        if (_inForce.TryGetValue(replica, out var inForce) && term < inForce)
            throw new InvariantViolation(InvariantNames.OldOrdersAreVoid, $"{replica} {what} on the word of term {term} although term {inForce} is in force: {sent}");
    }

    /// <summary>What a coordinator counts is of the attempt that it is about.</summary>
    public void Decides(CoordinatorProcess coordinator, RunState before, RunState next, IStepInput sent, ImmutableArray<StepEffect> effects)
    {
        var step = before.Step;
        var of = sent switch
        {
            LeafDone leaf => (leaf.Term, leaf.Step, leaf.Attempt),
            LeafUnreadable leaf => (leaf.Term, leaf.Step, leaf.Attempt),
            ShardReduced reduced => (reduced.Term, reduced.Step, reduced.Attempt),
            _ => (step.Term, step.Step, step.Attempt),
        };
        if (of != (step.Term, step.Step, step.Attempt) && (next.Step.Leaves != step.Leaves || next.Step.Reduced != step.Reduced))
            throw new InvariantViolation(InvariantNames.OldOrdersAreVoid, $"{coordinator} counted {sent} in attempt {step.Attempt} at step {step.Step} of term {step.Term}");
        foreach (var worker in next.Step.Quarantined.Keys.Except(step.Quarantined.Keys))
        {
            if (sent is not LogAdopted) world.Count("quarantined");
            if (!world.Faults.IsLiar(worker)) throw new InvariantViolation(InvariantNames.OnlyLiars, $"{coordinator} quarantined {worker}, whose bits are right");
        }
        foreach (var append in effects.OfType<StepEffect.AppendCommit>())
            if (next.Step.Reduced.SelectMany(static r => r?.Contributors ?? []).FirstOrDefault(c => next.Step.Quarantined.ContainsKey(c.Worker)) is { } wrong)
                throw new InvariantViolation(InvariantNames.OnlyLiars, $"{coordinator} decided step {append.Record.Step} on node {wrong.Node} of {wrong.Worker}, which is quarantined");
        foreach (var append in effects.OfType<StepEffect.AppendCommit>())
            if (append.Record.Term != before.Term) throw new InvariantViolation(InvariantNames.OldOrdersAreVoid, $"{coordinator} decided in term {before.Term} what it records for term {append.Record.Term}");
    }

    /// <summary>A coordinator orders shards to apply a record.</summary>
    public void Sends(CoordinatorProcess coordinator, CommitRecord record) => IsInLog(record, coordinator, "had shards apply");

    /// <summary>A replica makes a version out of a record.</summary>
    public void Applies(ReplicaId replica, CommitRecord record) => IsInLog(record, replica, "applied");

    private void IsInLog(CommitRecord record, object who, string did)
    {
        if (record.Step.Value > _decided.Count) throw new InvariantViolation(InvariantNames.RecordFirst, $"{who} {did} step {record.Step} of term {record.Term}, and the log ends with step {_decided.Count}");
        var decided = _decided[(int)record.Step.Value - 1];
        if (!IsSame(decided, record))
            throw new InvariantViolation(InvariantNames.OneRecordPerStep, $"{who} {did} attempt {record.Attempt} of term {record.Term} at step {record.Step}, the log has attempt {decided.Attempt} of term {decided.Term}");
    }

    /// <summary>A slot has got another state.</summary>
    public void Holds(ShardSlot slot)
    {
        var (id, version) = (slot.State.Id, slot.State.Version!.Value);
        if (version.Value > _decided.Count) throw new InvariantViolation(InvariantNames.RecordFirst, $"{id} holds version {version}, and the log ends with step {_decided.Count}");
        var (weights, momentum, applied) = world.Reference.At(version);
        Same(slot.Weights, weights, id, $"the weights of version {version}");
        Same(slot.Momentum, momentum, id, $"the momentum of version {version}");
        if (slot.State.AppliedSteps != applied) throw new InvariantViolation(InvariantNames.SameBits, $"{id} counts {slot.State.AppliedSteps} applied steps at version {version} instead of {applied}");
        if (slot.Previous is { } previous && slot.State.HasPrevious) Same(previous, world.Reference.At(new WeightsVersion(version.Value - 1)).Weights, id, $"the weights before version {version}");
        if (!_held.TryGetValue(id, out var known) || known < version) _held[id] = version;
    }

    private void Same(float[] actual, float[] whole, ReplicaId id, string what)
    {
        if (!Arithmetic.SameBits(actual, Arithmetic.Slice(whole, id.Shard.Index, world.Scenario.Shards)))
            throw new InvariantViolation(InvariantNames.SameBits, $"{id} has other bits in {what}");
    }

    public void WorkerHolds(WorkerProcess worker, WeightsVersion version, float[] weights)
    {
        if (version.Value > _decided.Count || !Arithmetic.SameBits(weights, world.Reference.At(version).Weights))
            throw new InvariantViolation(InvariantNames.SameBits, $"{worker} brought weights onto its device that are not those of version {version}");
    }

    /// <summary>A shard hands out a version.</summary>
    public void Shows(ReplicaState state, WeightsVersion version)
    {
        if (state.Place?.StandbyReplica is { } standby && (!_held.TryGetValue(standby, out var held) || held < version))
            throw new InvariantViolation(InvariantNames.StandbyHasIt, $"{state.Id} showed version {version}, which {standby} has never held");
    }

    public void AfterEvent()
    {
        var log = world.Disk.Authority;
        var length = log?.Records.Count ?? 0;
        if (_seen == (log, length)) return;
        _seen = (log, length);
        if (length < _decided.Count) throw new InvariantViolation(InvariantNames.LogNeverGoesBack, $"the log has {length} steps, it had {_decided.Count}");
        for (var i = 0; i < length; i++)
        {
            var record = log!.Records[i];
            if (record.Step.Value != i + 1) throw new InvariantViolation(InvariantNames.OneRecordPerStep, $"line {i + 1} of the log is step {record.Step}");
            if (i >= _decided.Count) Take(record);
            else if (!IsSame(_decided[i], record)) throw new InvariantViolation(InvariantNames.OneRecordPerStep, $"the record of step {record.Step} was of term {_decided[i].Term} and attempt {_decided[i].Attempt}; now it is of term {record.Term} and attempt {record.Attempt}");
        }
    }

    /// <summary>A step has been decided.</summary>
    private void Take(CommitRecord record)
    {
        CheckLeftOut(record);
        world.Reference.Decide(record);
        _decided.Add(record);
        var expected = world.Reference.Record(record.Step);
        if (record.Samples != expected.Samples || record.Epoch != expected.Epoch || record.Leaves.Count != expected.Leaves.Count
            || record.Leaves.Zip(expected.Leaves).Any(static p => p.First.Samples != p.Second.Samples || p.First.Digest != p.Second.Digest))
            throw new InvariantViolation(InvariantNames.EachSampleOnce, $"the record of step {record.Step} does not count the samples of its plan");
        if (!record.Applied && record.Samples > 0 && world.Scenario.NonFinite != NonFinitePolicy.Skip) throw new InvariantViolation(InvariantNames.SameBits, $"step {record.Step} was skipped");
        if (record.Applied && !(record.TensorScales ?? []).SequenceEqual(expected.TensorScales ?? []))
            throw new InvariantViolation(InvariantNames.SameBits, $"the record of step {record.Step} has the factors {string.Join(' ', record.TensorScales ?? [])} instead of {string.Join(' ', expected.TensorScales ?? [])}");
        if (record.Applied && (record.Loss, record.Accuracy, record.GradNorm, record.Scale, record.LearningRate) != (expected.Loss, expected.Accuracy, expected.GradNorm, expected.Scale, expected.LearningRate))
            throw new InvariantViolation(InvariantNames.SameBits, $"the record of step {record.Step} has loss {record.Loss:R}, norm {record.GradNorm:R}, scale {record.Scale:R} instead of {expected.Loss:R}, {expected.GradNorm:R}, {expected.Scale:R}");
    }

    private void CheckLeftOut(CommitRecord record)
    {
        var plan = world.Scenario.Plan(record.Step);
        var samples = Enumerable.Range(0, plan.LeafCount).SelectMany(leaf => world.Scenario.SamplesOf(plan, leaf)).ToHashSet();
        var leftOut = record.LeftOut ?? [];
        foreach (var sample in leftOut)
            if (!samples.Contains(sample) || !_damaged.Contains(sample)) throw new InvariantViolation(InvariantNames.LeftOutRightly, $"the record of step {record.Step} leaves out sample {sample}, which {(samples.Contains(sample) ? "everybody can decode" : "is not of this step")}");
        foreach (var sample in samples.Where(world.Damage.IsDamagedEverywhere).Except(leftOut))
            throw new InvariantViolation(InvariantNames.LeftOutRightly, $"the record of step {record.Step} counts sample {sample}, which nobody can decode");
        if (leftOut.Count == 0) return;
        world.Count("samples left out", leftOut.Count);
        if (record.FilledLeaves < record.Leaves.Count) world.Count(record.FilledLeaves == 0 ? "steps without a sample" : "steps with an empty leaf");
    }

    /// <summary>A run halts when nobody who is here can decode what the record counts; then somebody mends the data and resumes.</summary>
    public bool HaltsRightly(RunState state) =>
        state.Step.Recorded is { } recorded && state.Step.Blind.Select(static b => b.Leaf).Distinct().Any(leaf => state.Step.Workers.Values.All(
            worker => worker.IsHung || world.Scenario.SamplesOf(state.Step.Plan, leaf).Except(recorded.LeftOut ?? []).Any(sample => !world.Damage.CanRead(worker.Worker, sample))));

    private static bool IsSame(CommitRecord a, CommitRecord b) =>
        // Equals, since the norm of a skipped step may not be a number.
        (a.Term, a.Step, a.Attempt, a.Applied, a.Loss, a.GradNorm, a.Scale).Equals((b.Term, b.Step, b.Attempt, b.Applied, b.Loss, b.GradNorm, b.Scale))
        && (a.TensorScales ?? []).SequenceEqual(b.TensorScales ?? []) && (a.LeftOut ?? []).SequenceEqual(b.LeftOut ?? []);

    public void AtEnd()
    {
        if (_decided.Count != world.Scenario.Steps) throw new InvariantViolation(InvariantNames.Finishes, $"the run ended with {_decided.Count} of {world.Scenario.Steps} steps");
        var last = new WeightsVersion(world.Scenario.Steps);
        var (weights, momentum, applied) = world.Reference.At(last);
        if (!world.Disk.Checkpoints.TryGetValue(last, out var kept)) throw new InvariantViolation(InvariantNames.Finishes, "the run ended without its last checkpoint");
        if (!Arithmetic.SameBits(kept.Weights, weights) || !Arithmetic.SameBits(kept.Momentum, momentum) || kept.Applied != applied)
            throw new InvariantViolation(InvariantNames.SameBits, "the last checkpoint is not the undisturbed run's");
    }
}
