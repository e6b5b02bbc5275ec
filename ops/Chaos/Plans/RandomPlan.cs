using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>
/// Plans that are drawn: the same count, seed and run give the same plan. Never one that a run cannot survive: always a
/// worker is left, a lie has two honest workers to be held against, no two nodes that carry the state fail together.
/// </summary>
public static class RandomPlan
{
    /// <summary>For so many steps after it was struck a node counts as away: it is being started again.</summary>
    public const int AwaySteps = 2;

    /// <summary>Of so many faults one may be the supervisor's death, which costs a start of all processes.</summary>
    private const int FaultsPerDeath = 10;

    private const double ShortestSeconds = 0.5, LongestSeconds = 3;

    private const int TriesPerFault = 200;

    /// <summary>How often a kind is drawn, in parts; what every run meets most comes most.</summary>
    private static readonly (FaultKind Kind, int Weight)[] Weights =
    [
        (FaultKind.Kill, 10), (FaultKind.Stop, 6), (FaultKind.OutOfMemory, 2), (FaultKind.Leave, 2), (FaultKind.Join, 2), (FaultKind.Zombie, 1),
        (FaultKind.NotANumber, 3), (FaultKind.Lie, 2), (FaultKind.Hang, 1), (FaultKind.Slow, 3), (FaultKind.Backlog, 2), (FaultKind.DiskFull, 2), (FaultKind.DataMissing, 1), (FaultKind.VersionSkew, 1),
        (FaultKind.Cut, 3), (FaultKind.BlackHole, 2), (FaultKind.BlackHoleIn, 2), (FaultKind.BlackHoleOut, 2), (FaultKind.Delay, 2), (FaultKind.Throttle, 1), (FaultKind.Corrupt, 3), (FaultKind.Duplicate, 2), (FaultKind.Reorder, 2),
    ];

    /// <summary>Kinds after which, or during which, a worker computes nothing.</summary>
    internal static bool TakesAway(FaultKind kind) => kind is FaultKind.Kill or FaultKind.OutOfMemory or FaultKind.Stop or FaultKind.Leave or FaultKind.Hang or FaultKind.DataMissing or FaultKind.VersionSkew
        or FaultKind.Cut or FaultKind.BlackHole or FaultKind.BlackHoleIn or FaultKind.BlackHoleOut or FaultKind.Corrupt or FaultKind.Duplicate or FaultKind.Reorder or FaultKind.Lie;

    /// <param name="count">Faults, deaths of the supervisor included.</param>
    /// <param name="isPossible">Kinds that somebody carries out.</param>
    /// <exception cref="UserMistakeException">So many do not fit into the run.</exception>
    public static FaultPlan Make(int count, ulong seed, RunShape run, Func<FaultKind, bool> isPossible)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (count is < 1 or > Limits.MaxPlannedFaults) throw new UserMistakeException($"--random {count}: give a number of faults from 1 to {Limits.MaxPlannedFaults}");
        var possible = Weights.Where(w => isPossible(w.Kind)).ToArray();
        var draw = new Draw(seed);
        var plan = new Drawn(run, draw);
        var deaths = run.Steps < 6 ? 0 : draw.Below(count / FaultsPerDeath + 1);
        for (var i = 0; i < count; i++)
        {
            var isPlaced = false;
            for (var tries = 0; !isPlaced && tries < TriesPerFault; tries++) isPlaced = i < deaths ? plan.TryDeath() : plan.TryFault(Pick(possible, draw));
            if (!isPlaced) throw new UserMistakeException($"--random {count}: {run.Steps} steps of {run.Workers} workers and {run.Shards} shards have room for {i}; give fewer faults or more steps");
        }
        return FaultPlan.Of($"{count} random {(count == 1 ? "fault" : "faults")}, fault seed {seed}", plan.Faults, plan.RunFaults);
    }

    private static FaultKind Pick((FaultKind Kind, int Weight)[] kinds, Draw draw)
    {
        var ticket = draw.Below(kinds.Sum(static k => k.Weight));
        foreach (var (kind, weight) in kinds)
        {
            if ((ticket -= weight) < 0) return kind;
        }
        throw new InvalidOperationException("the weights do not add up");
    }

    /// <summary>A plan that grows fault by fault, each of them held against those that are there.</summary>
    private sealed class Drawn(RunShape run, Draw draw)
    {
        private readonly List<FaultSpec> _faults = [];
        private readonly List<RunFault> _runFaults = [];
        private int _joined;

        public IReadOnlyList<FaultSpec> Faults => _faults;

        public IReadOnlyList<RunFault> RunFaults => _runFaults;

        private IEnumerable<FaultSpec> Lies => _faults.Where(static f => f.Kind == FaultKind.Lie);

        public bool TryDeath()
        {
            var step = new StepId(2 + draw.Below((int)run.Steps - 4));
            if (Near(_runFaults, static f => f.Step, step).Any() || Near(_faults, static f => f.Step, step).Any()) return false;
            _runFaults.Add(new RunFault(draw.Below(2) == 0 ? RunFaultKind.KillSupervisor : RunFaultKind.TearCheckpoint, step));
            return true;
        }

        public bool TryFault(FaultKind kind)
        {
            var facts = kind.Facts();
            var step = new StepId(2 + draw.Below((int)Math.Max(1, run.Steps - 2)));
            if (step.Value > run.Steps || Near(_runFaults, static f => f.Step, step).Any()) return false;
            var node = NodeFor(kind, facts.Roles[draw.Below(facts.Roles.Length)]);
            if (!Fits(kind, node, step)) return false;
            if (kind == FaultKind.Join) _joined++;
            var seconds = facts.Seconds is null ? 0 : kind == FaultKind.Hang ? LongestSeconds : Math.Round(ShortestSeconds + draw.Unit() * (LongestSeconds - ShortestSeconds), 1);
            _faults.Add(new FaultSpec(kind, node, step, TimeSpan.FromSeconds(seconds)));
            return true;
        }

        private string NodeFor(FaultKind kind, string role) => (kind, role) switch
        {
            (FaultKind.Join, _) => $"worker-{run.Workers + _joined}",
            (_, "worker") => $"worker-{draw.Below(run.Workers)}",
            (_, "ps") => $"ps-{draw.Below(run.Shards)}",
            _ => "coordinator",
        };

        private bool Fits(FaultKind kind, string node, StepId step)
        {
            var near = Near(_faults, static f => f.Step, step).ToList();
            if (near.Any(f => f.Node == node)) return false;

            // Nodes that carry the run, one at a time: a shard and its standby that die together send all back to a checkpoint.
            if (!IsWorker(node) && near.Any(static f => !IsWorker(f.Node))) return false;
            if (!IsWorker(node) || kind == FaultKind.Join) return true;

            // A quarantined worker computes nothing any more: nothing strikes it later, and it never counts as there.
            if (Lies.Any(lie => lie.Node == node && lie.Step < step)) return false;
            if (kind == FaultKind.NotANumber) return run.Workers - Lies.Count() >= 2 && near.All(static f => f.Kind != FaultKind.NotANumber);
            if (kind == FaultKind.Lie) return run.Audits && run.Workers - Lies.Count() >= 3 && near.All(static f => !IsWorker(f.Node)) && _faults.All(f => f.Node != node || f.Step < step) && IsWorkerLeft(node, step, forGood: true);
            return !TakesAway(kind) || IsWorkerLeft(node, step, forGood: false);
        }

        /// <summary>Whether at every step that this fault touches somebody else is there.</summary>
        private bool IsWorkerLeft(string node, StepId step, bool forGood)
        {
            var last = forGood ? run.Steps : step.Value + AwaySteps;
            for (var at = step.Value; at <= last; at++)
            {
                var away = _faults.Where(f => IsWorker(f.Node) && TakesAway(f.Kind) && f.Step.Value <= at && (f.Kind == FaultKind.Lie || at <= f.Step.Value + AwaySteps)).Select(static f => f.Node).Append(node).Distinct(StringComparer.Ordinal);
                if (away.Count() >= run.Workers) return false;
            }
            return true;
        }

        private static bool IsWorker(string node) => node.StartsWith("worker", StringComparison.Ordinal);

        private static IEnumerable<T> Near<T>(IEnumerable<T> faults, Func<T, StepId> stepOf, StepId step) => faults.Where(f => Math.Abs(stepOf(f).Value - step.Value) <= AwaySteps);
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood, 2014): the same numbers on every platform and in every version.</summary>
    private sealed class Draw(ulong seed)
    {
        private ulong _state = seed;

        /// <summary>0 to <paramref name="bound"/> - 1.</summary>
        public int Below(int bound) => (int)(Next() % (ulong)Math.Max(1, bound));

        /// <summary>[0, 1).</summary>
        public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

        private ulong Next()
        {
            var z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
