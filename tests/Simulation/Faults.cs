using Cluster.Contracts;

namespace Cluster.Simulation;

/// <summary>Moments at which a fault can be made to strike.</summary>
internal enum FaultPoint
{
    TermWritten, Claim, Promise, LogMovedAway, LogAdopted, Place, StateSent, StateTaken, Load, InForce,
    Granted, LeafComputed, NodeKept, Reduced, AppendBegun, Appended, ApplySent, PrimaryApplied, SentToStandby, StandbyApplied, Published, Snapshot, CheckpointWritten,
}

internal enum SimulatedFault
{
    Crash, Pause, Isolate, CutOneWay, Split, Hang,

    /// <summary>The coordinator is stopped until another one has taken over, and wakes then.</summary>
    Zombie,
}

/// <summary>Draws the faults of a run from its seed, and lets them strike: at a time, or when a point is passed for the n-th time.</summary>
internal sealed class Faults
{
    private readonly World _world;
    private readonly SimulatedRandom _random;
    private readonly List<(FaultPoint Point, int Countdown, SimulatedFault Kind, bool OnSelf)> _waiting = [];
    private readonly HashSet<(StepId, int)> _spoilt = [];
    private WorkerId? _liar;
    private bool _oneHangsForGood;

    public Faults(World world)
    {
        _world = world;
        _random = new SimulatedRandom(SimulatedRandom.Mix(world.Scenario.Seed ^ 0xFA017));
    }

    /// <summary>Whatever has struck so far is over by then.</summary>
    public double HealedAt { get; set; }

    public void Begin()
    {
        if (!_world.Scenario.IsDisturbed) return;
        var scenario = _world.Scenario;
        // Milliseconds that the run would take: leaves at 20, messages and disk around them.
        var length = scenario.Steps * (20.0 * scenario.Microbatches / scenario.Workers + 12);
        // Most runs have a few faults, so that each is seen by itself; some have storms, where they meet.
        var isStorm = _random.Chance(0.15);
        var noise = isStorm ? 3 : 1;
        if (_random.Chance(0.6))
        {
            _world.Network.NoisyUntil = HealedAt = _random.Between(0.3, 3) * length;
            (_world.Network.Loss, _world.Network.Doubling, _world.Network.Spikes) = (_random.Between(0, 0.08 * noise), _random.Between(0, 0.15 * noise), _random.Between(0, 0.1 * noise));
        }
        if (_random.Chance(0.45)) _world.After(0, () => _random.Pick(_world.Supervisor.Workers).LeafMilliseconds *= _random.Between(2, 8));
        // One device may hang for good, and two have to agree on what is right.
        if (scenario is { Workers: >= 4, AuditEvery: > 0 } && _random.Chance(0.5)) _liar = new WorkerId(_random.Below(scenario.Workers));
        for (var n = _random.Below(3); n > 0; n--) _spoilt.Add((new StepId(_random.Within(1, scenario.Steps)), _random.Below(scenario.Microbatches)));
        for (var n = _random.Below(isStorm ? 20 : 6); n > 0; n--)
        {
            var kind = Kind();
            // A coordinator is a zombie worth the name when the sums that it waits for come while it sleeps.
            if (kind == SimulatedFault.Zombie && _random.Chance(0.7)) _waiting.Add((FaultPoint.Reduced, _random.Within(1, scenario.Steps * scenario.Shards), kind, false));
            else if (kind != SimulatedFault.Hang && _random.Chance(0.6)) _waiting.Add(((FaultPoint)_random.Below(Enum.GetValues<FaultPoint>().Length), _random.Within(1, 2 + scenario.Steps), kind, _random.Chance(0.6)));
            else _world.After(_random.Between(0, 1.3) * length, () => Strike(kind, Somebody()));
        }
    }

    private SimulatedFault Kind() => _random.Uniform() switch
    {
        < 0.42 => SimulatedFault.Crash,
        < 0.55 => SimulatedFault.Pause,
        < 0.65 => SimulatedFault.Zombie,
        < 0.76 => SimulatedFault.Isolate,
        < 0.84 => SimulatedFault.CutOneWay,
        < 0.92 => SimulatedFault.Split,
        _ => SimulatedFault.Hang,
    };

    /// <summary>The device fails in this leaf; once.</summary>
    public bool Spoils(WorkerId worker, StepId step, int leaf)
    {
        if (!_spoilt.Remove((step, leaf)) && _world.Planned?.Spoils(worker, step) != true) return false;
        _world.Count("fault, non-finite leaf");
        return true;
    }

    /// <summary>
    /// The device of this worker, whichever process runs on it, says other bits of an audited leaf. Only its word is
    /// wrong, not its sum: an audit may have nobody to compare with, and what is not found must not spoil the reference.
    /// </summary>
    public bool Lies(WorkerId worker, StepId step)
    {
        if (worker != _liar && _world.Planned?.Lies(worker, step) != true) return false;
        _world.Count("fault, wrong bits");
        return true;
    }

    public bool IsLiar(WorkerId worker) => worker == _liar || _world.Planned?.HasLied(worker) == true;

    /// <summary>Somebody is at such a point: it may not live on.</summary>
    public void Passes(FaultPoint point, Process who)
    {
        _world.Planned?.Passes(point, who);
        for (var i = 0; i < _waiting.Count; i++)
        {
            var fault = _waiting[i];
            if (fault.Point != point) continue;
            _waiting[i] = fault with { Countdown = fault.Countdown - 1 };
            if (fault.Countdown > 1) continue;
            _waiting.RemoveAt(i--);
            if (_world.IsTracing) _world.Say(who, $"is at {point}");
            Strike(fault.Kind, fault.OnSelf ? who : Somebody());
            if (_random.Chance(0.15)) Strike(Kind(), Somebody());
        }
    }

    private Process Somebody()
    {
        if (_random.Chance(0.35)) return _world.Supervisor.Coordinators[^1];
        return _random.Chance(0.5) ? _random.Pick(_world.Supervisor.Nodes) : _random.Pick(_world.Supervisor.Workers);
    }

    private double Duration() => _random.Uniform() switch
    {
        < 0.3 => _random.Between(1, 60),
        < 0.75 => _random.Between(60, 1_500),
        _ => _random.Between(1_500, 5_000),
    };

    private void Strike(SimulatedFault kind, Process victim)
    {
        if (kind == SimulatedFault.Zombie) victim = _world.Supervisor.Coordinator;
        if (_world.IsFinished || !victim.IsAlive) return;
        if (kind == SimulatedFault.Hang && victim is not WorkerProcess) kind = SimulatedFault.Pause;
        var duration = kind == SimulatedFault.Crash ? 4_500 : Duration();
        HealedAt = Math.Max(HealedAt, _world.Now + duration);
        var role = victim switch { PsNode => "shard", WorkerProcess => "worker", _ => "coordinator" };
        _world.Count($"fault, {kind} {role}".ToLowerInvariant());
        if (_world.IsTracing) _world.Say(victim, FormattableString.Invariant($"FAULT: {kind} for {duration:0} ms"));
        var self = SimulationEndpoints.Mask(victim);
        switch (kind)
        {
            case SimulatedFault.Crash:
                _world.Supervisor.Crash(victim);
                return;
            case SimulatedFault.Pause or SimulatedFault.Zombie:
                victim.Pause(duration);
                break;
            case SimulatedFault.Isolate:
                _world.Network.Separate(self, ~self, duration);
                _world.Network.Separate(~self, self, duration);
                break;
            case SimulatedFault.CutOneWay:
                var other = SimulationEndpoints.Mask(Somebody());
                if (_random.Chance(0.5)) _world.Network.Separate(self, other, duration);
                else _world.Network.Separate(other, self, duration);
                break;
            case SimulatedFault.Split:
                var side = _random.Bits() | self;
                _world.Network.Separate(side, ~side, duration);
                _world.Network.Separate(~side, side, duration);
                break;
            case SimulatedFault.Hang:
                // One device may hang for good: the others have to do without it, although it answers every heartbeat.
                var isForGood = !_oneHangsForGood && _world.Scenario.Workers > 1 && _random.Chance(0.4);
                _oneHangsForGood |= isForGood;
                if (isForGood) _world.Count("fault, hang worker for good");
                ((WorkerProcess)victim).HangsUntil = isForGood ? double.PositiveInfinity : _world.Now + duration;
                break;
        }
        if (kind == SimulatedFault.Zombie) _world.Supervisor.StartBeside(victim, _random.Between(5, 50));
        else if (victim is CoordinatorProcess && _random.Chance(0.6)) _world.Supervisor.StartBeside(victim, _random.Between(20, Math.Max(100, duration)));
    }
}
