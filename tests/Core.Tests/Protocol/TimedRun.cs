using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

/// <summary>
/// The step protocol on a virtual clock with one shard: every worker takes a given time per leaf, messages take none.
/// Pushes a node when all of its leaves are done, as a worker does.
/// </summary>
internal sealed class TimedRun
{
    private readonly PriorityQueue<Action, (double, long)> _queue = new();
    private readonly Func<WorkerId, double, double> _leafMilliseconds;
    private readonly Dictionary<WorkerId, (int Job, StepId Step, int Attempt, Queue<int> Queue, HashSet<int> Done, List<TreeNode> Nodes)> _workers = [];
    private readonly Dictionary<WorkerId, int> _computing = [];
    private readonly Func<WorkerId, int> _devices;
    private readonly int _leaves;
    private readonly long _steps;
    private ReductionTree _tree = new(1);
    private long _number;
    private int _jobs, _timer;

    /// <param name="leafMilliseconds">Of a worker, at a time.</param>
    /// <param name="devices">Of a worker: leaves that it computes at once. Null = one each.</param>
    public TimedRun(int workers, int leaves, long steps, StragglerRules stragglers, Func<WorkerId, double, double> leafMilliseconds, Func<WorkerId, int>? devices = null)
    {
        (_leaves, _steps, _leafMilliseconds, _devices) = (leaves, steps, leafMilliseconds, devices ?? (static _ => 1));
        State = StepState.Start(new StepRules(1, 1, StepScaling.Off, NonFinitePolicy.Recompute, stragglers), Term.First, new StepId(0));
        for (var w = 0; w < workers; w++) Feed(new WorkerJoined(new WorkerId(w), _devices(new WorkerId(w))));
    }

    public StepState State { get; private set; }
    public double Now { get; private set; }
    public List<(double At, StepEffect Effect)> Effects { get; } = [];

    /// <summary>When each step was finished.</summary>
    public List<double> FinishedAt { get; } = [];

    /// <summary>Leaves that were granted, by step and worker.</summary>
    public Dictionary<(StepId, WorkerId), int> Granted { get; } = [];

    public TimedRun Run()
    {
        Open(1);
        while (FinishedAt.Count < _steps && _queue.TryDequeue(out var action, out var at))
        {
            Now = at.Item1;
            Assert.True(Now < 3_600_000, "an hour has passed");
            action();
        }
        Assert.Equal(_steps, FinishedAt.Count);
        return this;
    }

    /// <summary>Milliseconds per step from this step on.</summary>
    public double StepMilliseconds(int from) => (FinishedAt[^1] - FinishedAt[from]) / (FinishedAt.Count - 1 - from);

    private void After(double milliseconds, Action action) => _queue.Enqueue(action, (Now + milliseconds, ++_number));

    private void Open(long step)
    {
        _tree = new ReductionTree(_leaves);
        Feed(new OpenStep(new StepPlan(new StepId(step), 0, 0, _leaves, _leaves), 0.1));
    }

    private void Feed(IStepInput input)
    {
        var (next, effects) = StepProtocol.Advance(State, input, Now);
        State = next;
        foreach (var effect in effects)
        {
            Effects.Add((Now, effect));
            switch (effect)
            {
                case StepEffect.Grant grant:
                    Take(grant);
                    break;
                case StepEffect.StartBudget budget:
                    var number = ++_timer;
                    After(budget.Milliseconds, () =>
                    {
                        if (number == _timer) Feed(new BudgetSpent(budget.Step, budget.Attempt));
                    });
                    break;
                case StepEffect.AppendCommit append:
                    After(0, () => Feed(new CommitWritten(append.Record.Step)));
                    break;
                case StepEffect.SendApply apply:
                    After(0, () => Feed(new ShardApplied(State.Term, apply.Record.Step.Produces, new ShardId(0), default)));
                    break;
                case StepEffect.Finished finished:
                    FinishedAt.Add(Now);
                    if (finished.Record.Step.Value < _steps) After(0, () => Open(finished.Record.Step.Value + 1));
                    break;
            }
        }
    }

    private void Take(StepEffect.Grant grant)
    {
        var key = (State.Step, grant.Worker);
        Granted[key] = Granted.GetValueOrDefault(key) + grant.Leases.Sum(static l => l.Count);
        if (!_workers.TryGetValue(grant.Worker, out var worker) || worker.Step != State.Step) _workers[grant.Worker] = worker = (++_jobs, State.Step, State.Attempt, new(), [], []);
        foreach (var lease in grant.Leases)
        {
            for (var leaf = lease.First; leaf < lease.End; leaf++) worker.Queue.Enqueue(leaf);
            worker.Nodes.AddRange(TreeNode.Cover(lease, _leaves));
        }
        for (var device = 0; device < _devices(grant.Worker); device++) ComputeNext(grant.Worker);
    }

    private void ComputeNext(WorkerId id)
    {
        var worker = _workers[id];
        if (_computing.GetValueOrDefault(id) == _devices(id) || !worker.Queue.TryDequeue(out var leaf)) return;
        _computing[id] = _computing.GetValueOrDefault(id) + 1;
        After(_leafMilliseconds(id, Now), () =>
        {
            _computing[id]--;
            worker.Done.Add(leaf);
            Feed(new LeafDone(State.Term, worker.Step, worker.Attempt, leaf, id, 1, 0, 0, 0, true, null, default));
            foreach (var node in worker.Nodes.Where(n => n.Leaves(_leaves) is var l && l.Contains(leaf) && Enumerable.Range(l.First, l.Count).All(worker.Done.Contains)))
            {
                if (worker.Step != State.Step || _tree.IsComplete) continue;
                _tree.Offer(node);
                if (_tree.IsComplete) Feed(new ShardReduced(State.Term, worker.Step, worker.Attempt, new ShardId(0), 0, [1.0], [], default));
            }
            ComputeNext(id);
        });
    }
}
