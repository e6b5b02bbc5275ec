using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Nodes come and go; terms are written, claimed and promised.
public static partial class RunProtocol
{
    private static (RunState, ImmutableArray<StepEffect>) Up(RunState state, NodeUp up)
    {
        var node = up.Node;
        if (state.Nodes.Contains(node)) return Drop(state, "node that is already here");
        var next = state with { Nodes = state.Nodes.Add(node), Hosts = up.Host.Length > 0 ? state.Hosts.SetItem(node, up.Host) : state.Hosts };
        return state.Phase switch
        {
            TermPhase.WaitingForNodes => BeginWhenEnough(next),
            // It is asked with the others: what it holds may be what is missing.
            TermPhase.Claiming => ClaimAlso(next, node),
            TermPhase.Running => Then(Rehouse(next, node)),
            // The places are being taken without it; it is housed once they are held.
            _ => Then(next),
        };
    }

    private static (RunState, ImmutableArray<StepEffect>) ClaimAlso(RunState state, NodeId node)
    {
        var slots = Slots(state, node).ToImmutableSortedSet();
        return (state with { Awaited = state.Awaited.Union(slots) }, Claims(state, slots));
    }

    private static RunState Rehouse(RunState state, NodeId node) =>
        state.Rules.Replicas == 0 ? state
        : state.Places.Any(static p => p.Standby is null) ? state with { RehouseReason = $"{node} can hold standbys" }
        : state.Places.Any(p => ShardPlacement.SharesHost(state.Hosts, p) && !ShardPlacement.SharesHost(state.Hosts, p.Primary, node)) ? state with { RehouseReason = $"{node} can hold standbys on another host" }
        : state;

    private static (RunState, ImmutableArray<StepEffect>) Lost(RunState state, NodeLost lost)
    {
        if (!state.Nodes.Contains(lost.Node)) return Drop(state, "loss of a node that is already gone");
        var next = state with { Nodes = state.Nodes.Remove(lost.Node), Hosts = state.Hosts.Remove(lost.Node), GraceIsOver = false };
        var held = state.Places.Where(p => p.Primary == lost.Node || p.Standby == lost.Node).ToArray();
        var what = held.Length == 0 ? string.Empty : " with " + string.Join(", ", held.Select(p => p.Primary == lost.Node ? $"shard {p.Shard}" : $"the standby of {p.Shard}"));
        var say = new StepEffect.Say("shard-lost", lost.Node.ToString(), $"{lost.Node} is lost{what}: {lost.Cause}");
        var matters = state.Phase switch
        {
            TermPhase.WaitingForNodes => false,
            TermPhase.WritingTerm => next.Nodes.IsEmpty,
            TermPhase.Claiming or TermPhase.AdoptingLog => true,
            _ => held.Length > 0,
        };
        if (!matters) return Then(next, say);
        var (began, effects) = state.Phase == TermPhase.WritingTerm ? Waiting(next) : BeginTerm(next, $"{lost.Node} is lost", state.Term);
        return (began, effects.Insert(0, say));
    }

    private static (RunState, ImmutableArray<StepEffect>) WithoutTheRest(RunState state)
    {
        var next = state with { GraceIsOver = true };
        return state.Phase == TermPhase.WaitingForNodes ? BeginWhenEnough(next) : Then(next);
    }

    /// <summary>A run begins with all its nodes; later, those that are restarting get some time to come back.</summary>
    private static (RunState, ImmutableArray<StepEffect>) BeginWhenEnough(RunState state)
    {
        if (state.Nodes.Count >= state.Rules.Nodes || state.GraceIsOver && state.Nodes.Count > 0) return BeginTerm(state, "the nodes are here", state.Term);
        return state.Nodes.Count > 0 ? Then(state, new StepEffect.StartGrace(state.Rules.GraceMilliseconds)) : Then(state);
    }

    private static (RunState, ImmutableArray<StepEffect>) Waiting(RunState state) =>
        Then(Void(state) with { Phase = TermPhase.WaitingForNodes }, new StepEffect.StartGrace(state.Rules.GraceMilliseconds));

    /// <summary>
    /// Begins the term above everything known. What is open is void: leaves and nodes of the old term are refused from
    /// the first promise on.
    /// </summary>
    private static (RunState, ImmutableArray<StepEffect>) BeginTerm(RunState state, string reason, Term atLeast)
    {
        // A shard whose only holder is gone may come back with a restarted node; one with a standby needs nobody.
        if (state.Nodes.IsEmpty || !state.GraceIsOver && state.Nodes.Count < state.Rules.Nodes && !EveryShardHasAHolder(state)) return Waiting(state);
        var term = (atLeast > state.Term ? atLeast : state.Term).Next();
        var next = Void(state) with { Phase = TermPhase.WritingTerm, Term = term };
        return Then(next, new StepEffect.Say("term", "coordinator", $"Term {term} begins: {reason}."), new StepEffect.WriteTerm(term, state.Term));
    }

    private static bool EveryShardHasAHolder(RunState state) =>
        state.Places.Length > 0 && state.Places.All(p => state.Nodes.Contains(p.Primary) || p.Standby is { } standby && state.Nodes.Contains(standby));

    private static RunState Void(RunState state) => state with
    {
        Step = state.Step.InTerm(state.Term, state.Step.Committed),
        Reports = ImmutableSortedDictionary<ReplicaId, ReplicaReport>.Empty,
        Awaited = [],
        Seeded = [],
        Loading = null,
        RehouseReason = null,
    };

    private static IEnumerable<ReplicaId> Slots(RunState state, NodeId node) => Enumerable.Range(0, state.Shards).Select(p => new ReplicaId(new ShardId(p), node));

    private static ImmutableArray<StepEffect> Claims(RunState state, IEnumerable<ReplicaId> replicas) =>
        [.. replicas.Select(r => new StepEffect.ToReplica(r, new ClaimTerm(state.Term, state.Claimant, r.Shard)))];

    private static (RunState, ImmutableArray<StepEffect>) Claim(RunState state)
    {
        var next = state with { Phase = TermPhase.Claiming, Awaited = [.. state.Nodes.SelectMany(n => Slots(state, n))] };
        return (next, Claims(next, next.Awaited));
    }

    private static (RunState, ImmutableArray<StepEffect>) Promised(RunState state, TermPromised promised)
    {
        if (!state.Awaited.Contains(promised.Replica)) return Drop(state, "second promise");
        var next = state with { Awaited = state.Awaited.Remove(promised.Replica), Reports = state.Reports.SetItem(promised.Replica, promised.Report) };
        if (!next.Awaited.IsEmpty) return Then(next);
        var longest = next.Reports.Values.Select(static r => r.Records).OrderByDescending(static r => r.Count == 0 ? 0 : r[^1].Step.Value).First();
        return Then(next with { Phase = TermPhase.AdoptingLog }, new StepEffect.AdoptLog(longest));
    }
}
