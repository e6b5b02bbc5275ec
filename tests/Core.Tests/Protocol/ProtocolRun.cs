using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>
/// The protocol with scalar gradients, on a seeded scheduler: workers, shards and the log are dictionaries, messages lie
/// in a bag and are delivered in an order that the seed picks. Enough to hold the real core against its promises.
/// </summary>
internal sealed class ProtocolRun
{
    private readonly Random _random;
    private readonly List<(string To, object Message)> _bag = [];
    private readonly Dictionary<int, (ReductionTree Tree, Dictionary<TreeNode, float> Values, StepId Step, int Attempt)> _shards = [];
    private readonly HashSet<WorkerId> _dead = [];
    private readonly HashSet<string> _held = [];
    private readonly Func<StepId, int, WorkerId, int, bool> _isFinite;
    private readonly int _leafCount;

    public ProtocolRun(int seed, int workers, int shards, int leaves, NonFinitePolicy policy = NonFinitePolicy.Recompute, Func<StepId, int, WorkerId, int, bool>? isFinite = null, StragglerRules? stragglers = null)
    {
        _random = new Random(seed);
        _leafCount = leaves;
        _isFinite = isFinite ?? ((_, _, _, _) => true);
        State = StepState.Start(new StepRules(shards, 1, StepScaling.Off, policy, stragglers ?? StragglerRules.Off), Term.First, new StepId(0));
        for (var w = 0; w < workers; w++) Feed(new WorkerJoined(new WorkerId(w)));
    }

    public StepState State { get; private set; }

    /// <summary>Milliseconds; moves only when a test moves it.</summary>
    public double Now { get; set; }
    public List<CommitRecord> Log { get; } = [];
    public List<StepEffect> Effects { get; } = [];

    /// <summary>The reduced value per step, as shard 0 sent it.</summary>
    public Dictionary<StepId, float> Sums { get; } = [];

    public static float GradientOf(StepId step, int leaf) => 1f / (3 + leaf) + step.Value * 1e-3f;

    public void Open(long step)
    {
        var plan = new StepPlan(new StepId(step), 0, 0, _leafCount * 4, _leafCount);
        Feed(new OpenStep(plan, 0.1));
    }

    /// <summary>What is on its way to the worker waits there until it is released.</summary>
    public void Hold(WorkerId worker) => _held.Add(worker.ToString());

    public void Release(WorkerId worker) => _held.Remove(worker.ToString());

    /// <summary>Delivers one message; false when none is left.</summary>
    public bool DeliverOne()
    {
        var ready = Enumerable.Range(0, _bag.Count).Where(i => !_held.Contains(_bag[i].To)).ToArray();
        if (ready.Length == 0) return false;
        var index = ready[_random.Next(ready.Length)];
        var (to, message) = _bag[index];
        _bag.RemoveAt(index);
        Deliver(to, message);
        return true;
    }

    /// <summary>Delivers in turn until it is so; leaves are that many milliseconds apart, and the timer runs.</summary>
    public void DeliverUntil(Func<bool> isSo, double advance)
    {
        for (var guard = 0; !isSo(); guard++)
        {
            Assert.True(guard < 1_000, "it never happens");
            if (_bag.Any(m => m.Message is LeafDone && !_held.Contains(m.To)) || _bag.TrueForAll(m => _held.Contains(m.To))) Now += advance;
            if (!DeliverOne()) Feed(new BudgetSpent(State.Step, State.Attempt));
        }
    }

    public void Kill(WorkerId worker)
    {
        if (!_dead.Add(worker)) return;
        // What it had sent may arrive or not; what was on its way to it is lost.
        _bag.RemoveAll(m => m.To == worker.ToString() || m.Message is GradientNode n && n.Worker == worker && _random.Next(2) == 0
            || m.Message is LeafDone l && l.Worker == worker && _random.Next(2) == 0);
        Feed(new WorkerLost(worker, "killed by the test"));
    }

    public void Feed(IStepInput input)
    {
        var (next, effects) = StepProtocol.Advance(State, input, Now);
        State = next;
        foreach (var effect in effects)
        {
            Effects.Add(effect);
            Run(effect);
        }
    }

    public int Messages => _bag.Count;

    private void Run(StepEffect effect)
    {
        switch (effect)
        {
            case StepEffect.Grant grant:
                if (!_dead.Contains(grant.Worker) && grant.Leases.Count > 0)
                    _bag.Add((grant.Worker.ToString(), new BeginStep(State.Term, State.Step, State.Attempt, State.Plan.LeafCount, grant.Leases, default)));
                break;
            case StepEffect.Abandon abandon:
                for (var p = 0; p < State.Rules.Shards; p++) _bag.Add(($"ps-{p}", new StepAbandoned(State.Term, abandon.Step, abandon.Attempt, abandon.Reason, default)));
                break;
            case StepEffect.AppendCommit append:
                Log.Add(append.Record);
                Feed(new CommitWritten(append.Record.Step));
                break;
            case StepEffect.SendApply apply:
                Assert.Contains(apply.Record, Log);
                for (var p = 0; p < State.Rules.Shards; p++) _bag.Add(($"ps-{p}", new ApplyStep(State.Term, apply.Record, apply.Sum, default)));
                break;
        }
    }

    private void Deliver(string to, object message)
    {
        switch (message)
        {
            case BeginStep begin: Compute(new WorkerId(int.Parse(to["worker-".Length..])), begin); break;
            case GradientNode node: Reduce(int.Parse(to["ps-".Length..]), node); break;
            case ApplyStep apply: _bag.Add(("coordinator", new ShardApplied(apply.Term, apply.Record.Step.Produces, new ShardId(int.Parse(to["ps-".Length..])), default))); break;
            case StepAbandoned: break;
            default: Feed((IStepInput)message); break;
        }
    }

    private void Compute(WorkerId worker, BeginStep begin)
    {
        foreach (var lease in begin.Leases)
        {
            for (var leaf = lease.First; leaf < lease.End; leaf++)
                _bag.Add(("coordinator", new LeafDone(begin.Term, begin.Step, begin.Attempt, leaf, worker, 4, leaf * 0.5, 1, (ulong)leaf, _isFinite(begin.Step, begin.Attempt, worker, leaf), "w", default)));
            foreach (var node in TreeNode.Cover(lease, begin.LeafCount))
                for (var p = 0; p < State.Rules.Shards; p++)
                    _bag.Add(($"ps-{p}", new GradientNode(begin.Term, begin.Step, begin.Attempt, node, begin.LeafCount, worker, 0, null!, default)));
        }
    }

    private void Reduce(int shard, GradientNode node)
    {
        if (!_shards.TryGetValue(shard, out var entry) || node.Step > entry.Step || node.Step == entry.Step && node.Attempt > entry.Attempt)
            _shards[shard] = entry = (new ReductionTree(node.LeafCount), [], node.Step, node.Attempt);
        if (node.Step != entry.Step || node.Attempt != entry.Attempt || !entry.Tree.Offer(node.Node).IsAccepted) return;
        entry.Values[node.Node] = Value(node.Node, node.Step);
        if (!entry.Tree.IsComplete) return;
        var sum = Value(TreeNode.Root(node.LeafCount), node.Step, entry.Tree.Accepted.ToDictionary(n => n, n => entry.Values[n]));
        if (shard == 0) Sums[node.Step] = sum;
        _bag.Add(("coordinator", new ShardReduced(node.Term, node.Step, node.Attempt, new ShardId(shard), 0, shard == 0 ? [(double)sum * sum] : [], [], default)));
    }

    public float Value(TreeNode node, StepId step, Dictionary<TreeNode, float>? accepted = null)
    {
        if (accepted is not null && accepted.TryGetValue(node, out var known)) return known;
        if (node.IsLeaf) return GradientOf(step, node.Index);
        var left = Value(node.Left, step, accepted);
        return node.Right.Exists(_leafCount) ? left + Value(node.Right, step, accepted) : left;
    }
}
