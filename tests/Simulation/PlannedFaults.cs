using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Simulation;

/// <summary>
/// The faults of a <see cref="FaultPlan"/> on the virtual clock. Each strikes when its step's first order goes out, as in a
/// run of real processes; what arises inside a worker arises at its next leaf. A link resets its connection over damaged,
/// doubled or misplaced bytes, so these are resets here: what was on its way is lost.
/// </summary>
internal sealed class PlannedFaults(World world, FaultPlan plan)
{
    /// <summary>A reset: what is on its way is lost, and the next message passes.</summary>
    private const double ResetMilliseconds = 1;

    /// <summary>Until a killed process is there again; a node that is refused at first needs one more start.</summary>
    private const double RestartMilliseconds = 100, RefusedMilliseconds = 400;

    private readonly List<FaultSpec> _due = [.. plan.Faults];
    private readonly List<RunFault> _whole = [.. plan.RunFaults];
    private readonly List<(WorkerId Worker, StepId Step)> _spoilt = [], _lies = [];
    private readonly HashSet<WorkerId> _liars = [];

    /// <summary>Faults that have struck, for the report.</summary>
    public int Struck { get; private set; }

    public bool Spoils(WorkerId worker, StepId step) => Take(_spoilt, worker, step);

    public bool Lies(WorkerId worker, StepId step) => Take(_lies, worker, step) && _liars.Add(worker);

    public bool HasLied(WorkerId worker) => _liars.Contains(worker);

    /// <summary>All that wait for this worker strike in one leaf: a worker that was away is not struck twice in a row for it.</summary>
    private static bool Take(List<(WorkerId Worker, StepId Step)> waiting, WorkerId worker, StepId step) => waiting.RemoveAll(w => w.Worker == worker && w.Step <= step) > 0;

    public void Passes(FaultPoint point, Process who)
    {
        if (who is not CoordinatorProcess coordinator) return;
        if (point == FaultPoint.Appended)
        {
            foreach (var fault in _whole.Where(f => f.Step.Value <= coordinator.State.Step.Step.Value).ToArray())
            {
                _whole.Remove(fault);
                StrikeAll(fault);
            }
        }
        if (point != FaultPoint.Granted) return;
        foreach (var fault in _due.Where(f => f.Step <= coordinator.State.Step.Step).ToArray())
        {
            _due.Remove(fault);
            Strike(fault);
        }
    }

    private void StrikeAll(RunFault fault)
    {
        Say(fault.ToString(), 5_000);
        if (fault.Kind == RunFaultKind.TearCheckpoint && world.Disk.Checkpoints.Count > 0) world.Disk.Checkpoints.Remove(world.Disk.Checkpoints.Keys.Last());
        world.Supervisor.CrashAll(RestartMilliseconds);
    }

    private void Say(string fault, double until)
    {
        Struck++;
        world.Faults.HealedAt = Math.Max(world.Faults.HealedAt, world.Now + until);
        world.Count($"fault, {fault}");
        if (world.IsTracing) world.Say("plan", $"FAULT: {fault}");
    }

    private Process? Victim(string node) => node.Split('-') switch
    {
        ["ps", var index] => world.Supervisor.Nodes[int.Parse(index, System.Globalization.CultureInfo.InvariantCulture)],
        ["worker", var index] when int.Parse(index, System.Globalization.CultureInfo.InvariantCulture) is var i && i < world.Supervisor.Workers.Count => world.Supervisor.Workers[i],
        ["coordinator"] => world.Supervisor.Coordinator,
        _ => null,
    };

    private void Strike(FaultSpec fault)
    {
        var duration = fault.Duration.TotalMilliseconds;
        if (fault.Kind == FaultKind.Join)
        {
            Say(fault.ToString(), 0);
            world.Supervisor.Join();
            return;
        }
        if (Victim(fault.Node) is not { } victim) return;
        var self = SimulationEndpoints.Mask(victim);
        var worker = victim as WorkerProcess;
        // A hang that outlasts the run is ended by a restart, as the supervisor does.
        if (fault.Kind == FaultKind.Hang) duration = Math.Min(duration, 15_000);
        Say(fault.ToString(), duration + 4_500);
        switch (fault.Kind)
        {
            case FaultKind.Kill or FaultKind.OutOfMemory:
                world.Supervisor.Crash(victim, RestartMilliseconds);
                break;
            case FaultKind.Leave:
                world.Supervisor.Crash(victim, duration);
                break;
            case FaultKind.DataMissing or FaultKind.VersionSkew:
                world.Supervisor.Crash(victim, RefusedMilliseconds);
                break;
            case FaultKind.Stop:
                victim.Pause(duration);
                break;
            case FaultKind.Zombie:
                victim.Pause(duration);
                world.Supervisor.StartBeside(victim, RestartMilliseconds);
                break;
            case FaultKind.NotANumber:
                _spoilt.Add((worker!.Id, fault.Step));
                break;
            case FaultKind.Lie:
                _lies.Add((worker!.Id, fault.Step));
                break;
            case FaultKind.Hang:
                worker!.HangsUntil = world.Now + duration;
                break;
            case FaultKind.Slow:
                var usual = worker!.LeafMilliseconds;
                worker.LeafMilliseconds = usual * fault["factor"];
                world.After(duration, () => worker.LeafMilliseconds = usual);
                break;
            case FaultKind.Backlog:
                world.Network.Slow(self, both: false, fault["ms"], duration);
                break;
            case FaultKind.DiskFull:
                world.Disk.FullUntil = world.Now + duration;
                break;
            case FaultKind.BlackHole:
                world.Network.Separate(self, ~self, duration);
                world.Network.Separate(~self, self, duration);
                break;
            case FaultKind.BlackHoleIn:
                world.Network.Separate(~self, self, duration);
                break;
            case FaultKind.BlackHoleOut:
                world.Network.Separate(self, ~self, duration);
                break;
            case FaultKind.Delay:
                world.Network.Slow(self, both: true, fault["ms"] + world.Random.Between(0, fault["jitter"]), duration);
                break;
            case FaultKind.Throttle:
                // A tensor of a real run is some 4 MB; heartbeats pass in between.
                world.Network.Slow(self, both: true, 4_000 / fault["mbs"], duration);
                break;
            case FaultKind.Cut or FaultKind.Corrupt or FaultKind.Duplicate or FaultKind.Reorder:
                world.Network.Separate(self, ~self, ResetMilliseconds);
                world.Network.Separate(~self, self, ResetMilliseconds);
                break;
            default:
                throw new InvariantViolation(InvariantNames.NeverStuck, $"the simulator has no way to {fault}");
        }
    }
}
