using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Who computes which leaf: the deal at the start of an attempt, and what becomes of leaves whose worker is gone.
public static partial class StepProtocol
{
    /// <summary>A new deal must finish this much earlier before leases move: a moved lease throws prepared data away.</summary>
    private const double Stickiness = 0.9;

    /// <summary>How fast the speed of a worker without leaves returns to the average, so that it gets another chance.</summary>
    private const double Forgiveness = 0.05;

    private static (StepState, ImmutableArray<StepEffect>) LeaseAll(StepState state, double now)
    {
        var able = Able(state);
        if (able.Length == 0) return Then(state, new StepEffect.Say("waiting", "coordinator", $"Step {state.Step} waits: there is no worker."));
        var deal = DealFor(state, able);
        var owner = new WorkerId[state.Plan.LeafCount];
        foreach (var lease in deal)
            for (var leaf = lease.Leaves.First; leaf < lease.Leaves.End; leaf++) owner[leaf] = lease.Worker;
        foreach (var (leaf, suspect) in state.Suspects) owner[leaf] = SomebodyElse(able, suspect);
        foreach (var (leaf, _) in state.Blind)
            if (!MayRead(state, leaf, owner[leaf]) && able.FirstOrDefault(w => MayRead(state, leaf, w.Worker)) is { } reader) owner[leaf] = reader.Worker;
        var leases = able.SelectMany(w => Leases.Runs(Enumerable.Range(0, owner.Length).Where(i => owner[i] == w.Worker)).Select(run => new Lease(w.Worker, run))).ToImmutableArray();
        var audited = Audited(state, able, deal, owner);
        leases = leases.AddRange(Auditors(audited, able, owner).Select(w => new Lease(w, new LeafRange(audited.Audit!.Leaf, 1))));
        var next = Forgiven(audited, deal, now) with { Leases = leases, Deal = deal };
        // Everybody hears of the step, so that weights are fetched and leftovers dropped; only the able compute.
        var grants = state.Workers.Keys.Select(w => (StepEffect)new StepEffect.Grant(w, [.. leases.Where(l => l.Worker == w).Select(static l => l.Leaves)]));
        return (next, [.. grants, .. Watch(next, now)]);
    }

    private static WorkerStanding[] Able(StepState state)
    {
        var able = state.Workers.Values.Where(static w => !w.IsHung).ToArray();
        return able.Length > 0 ? able : [.. state.Workers.Values];
    }

    /// <summary>The deal of the step before as long as it is good enough, else the best one.</summary>
    private static ImmutableArray<Lease> DealFor(StepState state, WorkerStanding[] able)
    {
        var average = able.Where(static w => w.Speed > 0).Select(static w => w.Speed).DefaultIfEmpty(1).Average();
        var candidates = able.Select(w => new LeaseCandidate(w.Worker, w.Speed > 0 ? w.Speed : average)).ToArray();
        var runs = Leases.Deal(candidates, state.Plan.LeafCount);
        var best = able.Select((w, i) => new Lease(w.Worker, runs[i])).ToImmutableArray();
        var old = state.Deal;
        var fits = old.Length == best.Length && old.Sum(static l => l.Leaves.Count) == state.Plan.LeafCount && old.Zip(able).All(static p => p.First.Worker == p.Second.Worker);
        return fits && Finish(best, candidates) >= Stickiness * Finish(old, candidates) ? old : best;
    }

    private static double Finish(ImmutableArray<Lease> deal, LeaseCandidate[] candidates) => deal.Select((l, i) => l.Leaves.Count / candidates[i].Speed).Max();

    private static StepState Forgiven(StepState state, ImmutableArray<Lease> deal, double now)
    {
        var average = state.Workers.Values.Where(static w => w.Speed > 0).Select(static w => w.Speed).DefaultIfEmpty(0).Average();
        var workers = state.Workers;
        foreach (var lease in deal)
        {
            var worker = workers[lease.Worker];
            if (!worker.IsBehind) worker = worker.Begins(now);
            if (lease.Leaves.IsEmpty && worker.Speed > 0) worker = worker with { Speed = worker.Speed + Forgiveness * (average - worker.Speed) };
            workers = workers.SetItem(lease.Worker, worker);
        }
        return state with { Workers = workers };
    }

    private static WorkerId SomebodyElse(WorkerStanding[] able, WorkerId suspect)
    {
        foreach (var worker in able)
            if (worker.Worker != suspect) return worker.Worker;
        return able[0].Worker;      // alone: the same worker gets a second chance
    }

    /// <summary>Leaves of a lease that its worker has not reported.</summary>
    private static IEnumerable<int> Missing(StepState state, Lease lease) =>
        Enumerable.Range(lease.Leaves.First, lease.Leaves.Count).Where(leaf => !state.Leaves[leaf].Reporters.Contains(lease.Worker));

    /// <summary>
    /// A leaf needs somebody while it is not reported, or not safe: a worker pushes a tree node only when it has all of its
    /// leaves, so a reported leaf waits with its siblings, and is lost with its worker.
    /// </summary>
    private static bool[] Unsafe(StepState state)
    {
        var open = new bool[state.Leaves.Length];
        Array.Fill(open, !state.AllReduced);
        foreach (var lease in state.Leases)
        {
            foreach (var node in TreeNode.Cover(lease.Leaves, state.Plan.LeafCount))
            {
                var leaves = node.Leaves(state.Plan.LeafCount);
                var isPushed = Enumerable.Range(leaves.First, leaves.Count).All(leaf => state.Leaves[leaf].Reporters.Contains(lease.Worker));
                for (var leaf = leaves.First; isPushed && leaf < leaves.End; leaf++) open[leaf] = false;
            }
        }
        for (var leaf = 0; leaf < open.Length; leaf++) open[leaf] |= state.Leaves[leaf].Done is null;
        return open;
    }

    private static bool IsHeldBy(StepState state, int leaf, WorkerId worker) => state.Leases.Any(l => l.Worker == worker && l.Leaves.Contains(leaf));

    /// <summary>Leases these leaves to the least loaded of <paramref name="takers"/> that do not hold them.</summary>
    private static (StepState, ImmutableArray<StepEffect>) LeaseAlso(StepState state, IReadOnlyCollection<int> leaves, WorkerId[] takers, double now)
    {
        var load = takers.ToDictionary(static w => w, w => state.Leases.Where(l => l.Worker == w).Sum(l => Missing(state, l).Count()));
        var given = new SortedDictionary<WorkerId, List<int>>();
        foreach (var leaf in leaves)
        {
            var able = takers.Where(w => !IsHeldBy(state, leaf, w) && MayRead(state, leaf, w)).ToArray();
            if (able.Length == 0) continue;
            var taker = able.OrderBy(w => load[w]).ThenBy(static w => w).First();
            load[taker]++;
            if (!given.TryGetValue(taker, out var list)) given[taker] = list = [];
            list.Add(leaf);
        }
        var next = state;
        var effects = ImmutableArray.CreateBuilder<StepEffect>();
        foreach (var (worker, list) in given)
        {
            var runs = Leases.Runs(list);
            var standing = next.Workers[worker];
            // Its clock starts now unless it is at something already.
            if (!next.Leases.Any(l => l.Worker == worker && Missing(next, l).Any())) standing = standing.Begins(now);
            next = next with { Leases = next.Leases.AddRange(runs.Select(r => new Lease(worker, r))), Workers = next.Workers.SetItem(worker, standing) };
            effects.Add(new StepEffect.Say("leased-again", worker.ToString(), $"{Leaf(list)} of step {state.Step} {(list.Count == 1 ? "is" : "are")} leased to {worker} as well."));
            effects.Add(new StepEffect.Grant(worker, runs));
        }
        return (next, effects.ToImmutable());

        static string Leaf(List<int> list) => (list.Count == 1 ? "Leaf " : "Leaves ") + string.Join(", ", list);
    }

    /// <summary>Leases what nobody able holds.</summary>
    private static (StepState, ImmutableArray<StepEffect>) LeaseOrphans(StepState state, double now)
    {
        var able = Able(state).Select(static w => w.Worker).ToArray();
        if (able.Length == 0) return Then(state, new StepEffect.Say("waiting", "coordinator", $"Step {state.Step} waits: there is no worker."));
        var open = Unsafe(state);
        var orphans = Enumerable.Range(0, open.Length).Where(leaf => open[leaf] && !able.Any(w => IsHeldBy(state, leaf, w))).ToArray();
        var (next, effects) = LeaseAlso(state, orphans, able, now);
        return (next, [.. effects, .. Watch(next, now)]);
    }

    private static (StepState, ImmutableArray<StepEffect>) Joined(StepState state, WorkerJoined joined, double now)
    {
        var worker = joined.Worker;
        if (state.Workers.ContainsKey(worker)) return Drop(state, "worker that is already here");
        if (state.Quarantined.TryGetValue(worker, out var found))
            return Then(state, new StepEffect.Say("worker-quarantined", worker.ToString(), $"{worker} is here and gets no leaves: its bits were wrong in step {found}. Replace its device, and start it under another name."));
        var next = state with { Workers = state.Workers.Add(worker, new WorkerStanding(worker, 0) { Devices = joined.Devices }.Begins(now)) };
        var say = new StepEffect.Say("worker-joined", worker.ToString(), $"{worker} joined; {next.Workers.Count} {(next.Workers.Count == 1 ? "worker shares" : "workers share")} the leaves.");
        if (state.Phase != StepPhase.Gathering) return Then(next, say);
        // Leaves that nobody could take, or that only hung workers hold, wait for the first who can; late ones may be
        // computed twice now. Else it takes part from the next step, and prepares.
        var (leased, effects) = next.Rules.Stragglers.IsOn ? LookForLate(next, now) : LeaseOrphans(next, now);
        (leased, var asked) = AskAnother(leased, now);
        effects = [.. effects, .. asked];
        if (!effects.Any(e => e is StepEffect.Grant grant && grant.Worker == worker)) effects = effects.Insert(0, new StepEffect.Grant(worker, []));
        return (leased, effects.Insert(0, say));
    }

    private static (StepState, ImmutableArray<StepEffect>) Lost(StepState state, WorkerLost lost, double now)
    {
        if (!state.Workers.ContainsKey(lost.Worker)) return Drop(state, "loss of a worker that is already gone");
        var next = state with { Workers = state.Workers.Remove(lost.Worker), Deal = [] };
        var say = lost.IsPlanned
            ? new StepEffect.Say("worker-left", lost.Worker.ToString(), $"{lost.Worker} left: {lost.Cause}")
            : new StepEffect.Say("worker-lost", lost.Worker.ToString(), $"{lost.Worker} is lost{Place(state)}: {lost.Cause}");
        if (state.Phase != StepPhase.Gathering) return Then(next, say);
        // What it reported may not have reached every shard: its leases go, and with them the safety of its leaves.
        // A second copy is the same bits; the tree drops whichever comes late.
        next = next with
        {
            Leases = next.Leases.RemoveAll(l => l.Worker == lost.Worker),
            Leaves = [.. next.Leaves.Select(l => l with { Reporters = l.Reporters.Remove(lost.Worker) })],
        };
        (next, var asked) = AskAnother(next, now);
        // Everything may be here but the word of the one that is gone.
        var (rest, effects) = next.AllLeavesDone && next.AllReduced ? DecideWhenComplete(next, now) : LeaseOrphans(next, now);
        return (rest, [say, .. asked, .. effects]);
    }

    private static string Place(StepState state) => state.Phase switch
    {
        StepPhase.Gathering => $" while step {state.Step} was computed",
        StepPhase.Committing or StepPhase.Applying => $" while step {state.Step} was applied",
        _ => string.Empty,
    };
}
