using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// All have promised: from what they hold to the first step of the term.
public static partial class RunProtocol
{
    /// <summary>What a replica holds, measured by the log.</summary>
    private enum Holding
    {
        /// <summary>Nothing that a step can be built on.</summary>
        Useless,

        /// <summary>The version before the last record, without its sum: the step is computed again.</summary>
        Behind,

        /// <summary>The version before the last record, and the recorded sum: the record is applied.</summary>
        BehindWithSum,

        /// <summary>The version of the last record.</summary>
        Current,
    }

    private static (RunState, ImmutableArray<StepEffect>) Adopted(RunState state, LogAdopted adopted)
    {
        var next = state with
        {
            Logged = adopted.Last,
            Recorded = adopted.Recorded.ToImmutableSortedDictionary(static r => r.Step, static r => r),
            Step = state.Step with
            {
                Quarantined = state.Step.Quarantined.SetItems(adopted.Quarantined),
                Unlogged = state.Step.Unlogged.Except(adopted.Quarantined.Keys),
                Workers = state.Step.Workers.RemoveRange(adopted.Quarantined.Keys),
                Deal = adopted.Quarantined.Keys.Any(state.Step.Workers.ContainsKey) ? [] : state.Step.Deal,
            },
        };
        var last = next.Recorded.GetValueOrDefault(adopted.Last);
        var primaries = Enumerable.Range(0, state.Shards).Select(p => Primary(next, new ShardId(p), last)).ToArray();
        var holdings = primaries.Select(p => HoldingOf(next, p, last)).ToArray();
        // A step is computed again from the version before it, which those that are ahead must still have.
        var mustLoad = holdings.Contains(Holding.Useless)
            || holdings.Contains(Holding.Behind) && primaries.Zip(holdings).Any(p => p.Second == Holding.Current && !next.Reports[p.First].HasPrevious);
        var load = new Dictionary<NodeId, int>();
        var places = new ShardPlace[state.Shards];
        var seeded = ImmutableSortedSet.CreateBuilder<ReplicaId>();
        for (var p = 0; p < places.Length; p++)
        {
            var standby = Standby(next, primaries[p], load);
            places[p] = new ShardPlace(primaries[p].Shard, primaries[p].Node, standby?.Node);
            if (standby is { } replica && !mustLoad && next.Reports[replica].Version != next.Reports[primaries[p]].Version) seeded.Add(replica);
        }
        next = next with
        {
            Phase = TermPhase.Placing,
            Places = [.. places],
            Seeded = seeded.ToImmutable(),
            Loading = mustLoad ? adopted.Checkpoint : null,
            Awaited = [.. places.SelectMany(Replicas)],
        };
        var effects = PlacesFor(next, next.Awaited);
        return (next, ShardPlacement.Complaint(next.Hosts, next.Places) is { } sentence ? effects.Insert(0, new StepEffect.Say("standby-same-host", "coordinator", sentence)) : effects);
    }

    private static IEnumerable<ReplicaId> Replicas(ShardPlace place)
    {
        yield return place.PrimaryReplica;
        if (place.StandbyReplica is { } standby) yield return standby;
    }

    private static Holding HoldingOf(RunState state, ReplicaId replica, CommitRecord? last)
    {
        var report = state.Reports[replica];
        if (report.Version is not { } version) return Holding.Useless;
        if (version.Value == state.Logged.Value) return Holding.Current;
        if (last is null || version != last.Step.Consumes) return Holding.Useless;
        return !last.Applied || report.Sum == new SumKey(last.Term, last.Step, last.Attempt) ? Holding.BehindWithSum : Holding.Behind;
    }

    /// <summary>Whoever holds most; among equals who was primary before; among those the node of the shard's own number.</summary>
    private static ReplicaId Primary(RunState state, ShardId shard, CommitRecord? last) => state.Nodes
        .Select(n => new ReplicaId(shard, n)).Where(state.Reports.ContainsKey)
        .OrderByDescending(r => HoldingOf(state, r, last)).ThenByDescending(r => state.Reports[r].WasPrimary)
        .ThenBy(r => (r.Node.Index - shard.Index + state.Rules.Nodes) % Math.Max(1, state.Rules.Nodes)).ThenBy(static r => r.Node).First();

    /// <summary>Another node: on another host if there is one, since a host dies as a whole; among those one that holds the same version, else the one with the fewest standbys.</summary>
    private static ReplicaId? Standby(RunState state, ReplicaId primary, Dictionary<NodeId, int> load)
    {
        if (state.Rules.Replicas == 0) return null;
        var others = state.Nodes.Where(n => n != primary.Node).Select(n => new ReplicaId(primary.Shard, n)).Where(state.Reports.ContainsKey).ToArray();
        if (others.Length == 0) return null;
        var version = state.Reports[primary].Version;
        var best = others.OrderBy(r => ShardPlacement.SharesHost(state.Hosts, primary.Node, r.Node)).ThenByDescending(r => version is not null && state.Reports[r].Version == version)
            .ThenBy(r => load.GetValueOrDefault(r.Node)).ThenBy(r => (r.Node.Index - primary.Node.Index + state.Rules.Nodes) % Math.Max(1, state.Rules.Nodes)).First();
        load[best.Node] = load.GetValueOrDefault(best.Node) + 1;
        return best;
    }

    /// <summary>The place to each of these replicas; the primary of a standby that waits for its state hears of it again as well.</summary>
    private static ImmutableArray<StepEffect> PlacesFor(RunState state, IReadOnlyCollection<ReplicaId> replicas)
    {
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        foreach (var place in state.Places)
        {
            var seed = place.StandbyReplica is { } standby && state.Seeded.Contains(standby);
            foreach (var replica in Replicas(place))
                if (replicas.Contains(replica) || seed && replica == place.PrimaryReplica && replicas.Contains(place.StandbyReplica!.Value))
                    effects.Add(new StepEffect.ToReplica(replica, new HoldPlace(state.Term, place, seed)));
        }
        return effects.ToImmutable();
    }

    private static (RunState, ImmutableArray<StepEffect>) Held(RunState state, PlaceHeld held, double now)
    {
        if (!state.Awaited.Contains(held.Replica)) return Drop(state, "place that is held");
        var next = state with { Awaited = state.Awaited.Remove(held.Replica) };
        if (!next.Awaited.IsEmpty) return Then(next);
        if (next.Loading is not { } version) return Begin(next, new StepId(next.Logged.Value));
        next = next with { Phase = TermPhase.Loading, Awaited = [.. next.Places.SelectMany(Replicas)] };
        return Then(next, new StepEffect.LoadVersion(version, [.. next.Awaited]));
    }

    private static (RunState, ImmutableArray<StepEffect>) Loaded(RunState state, ShardLoaded loaded, double now)
    {
        if (!state.Awaited.Contains(loaded.Replica) || loaded.Version != state.Loading) return Drop(state, "version that is loaded");
        var next = state with { Awaited = state.Awaited.Remove(loaded.Replica) };
        return next.Awaited.IsEmpty ? Begin(next, new StepId(next.Loading!.Value.Value)) : Then(next);
    }

    /// <summary>The term is in force. The last record is redone where it is missing; then the steps go on.</summary>
    /// <param name="held">The step whose version the shards hold, or are one step behind of.</param>
    private static (RunState, ImmutableArray<StepEffect>) Begin(RunState state, StepId held)
    {
        var last = state.Recorded.GetValueOrDefault(held);
        var isLoaded = state.Loading is not null;
        var holdings = state.Places.Select(p => isLoaded ? Holding.Current : HoldingOf(state, p.PrimaryReplica, last)).ToArray();
        var isRedo = holdings.Any(static h => h != Holding.Current);
        var next = state with
        {
            Phase = TermPhase.Running,
            Loading = null,
            Step = state.Step.InTerm(state.Term, isRedo ? new StepId(held.Value - 1) : held),
            Recorded = isLoaded || isRedo ? state.Recorded : state.Recorded.Clear(),
        };
        // A node that came while the places were taken.
        if (state.Rules.Replicas > 0 && state.Places.Any(static p => p.Standby is null) && state.Nodes.Count > 1) next = next with { RehouseReason = "standbys can be had" };
        else if (state.Rules.Replicas > 0 && state.Places.Any(p => ShardPlacement.SharesHost(state.Hosts, p) && state.Nodes.Any(n => !ShardPlacement.SharesHost(state.Hosts, p.Primary, n))))
            next = next with { RehouseReason = "standbys can be had on another host" };
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        effects.Add(new StepEffect.InForce(state.Term));
        foreach (var worker in next.Step.Workers.Keys) effects.Add(new StepEffect.TellRoutes(worker, new Routes(state.Term, state.Places)));
        if (isRedo)
        {
            var haveSums = holdings.All(static h => h is Holding.Current or Holding.BehindWithSum);
            effects.Add(new StepEffect.OpenNext(held, last, [.. holdings.Select(static h => h == Holding.Current)], haveSums));
            return (next, effects.ToImmutable());
        }
        var (opened, open) = OpenNext(next);
        return (opened, [.. effects, .. open]);
    }
}
