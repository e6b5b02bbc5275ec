using System.Globalization;

namespace Cluster.Simulation;

/// <summary>A virtual clock, a queue of events in the order of (time, number), and everything that lives on them. One thread.</summary>
internal sealed class World
{
    private readonly PriorityQueue<Action, (double Time, long Number)> _queue = new();
    private readonly TextWriter? _trace;
    private long _number;

    public World(Scenario scenario, Plant plant, TextWriter? trace)
    {
        (Scenario, Plant, _trace) = (scenario, plant, trace);
        Random = new SimulatedRandom(SimulatedRandom.Mix(scenario.Seed ^ 0xD15EA5E));
        Network = new Network(this, Random);
        Reference = new Reference(scenario);
        Damage = new Damage(scenario, () => Now);
        Invariants = new Invariants(this);
        Faults = new Faults(this);
        Planned = scenario.Faults is { } plan ? new PlannedFaults(this, plan) : null;
        Supervisor = new Supervisor(this);
    }

    public Scenario Scenario { get; }
    public Plant Plant { get; }
    public SimulatedRandom Random { get; }
    public Network Network { get; }
    public Disk Disk { get; } = new();
    public Reference Reference { get; }
    public Damage Damage { get; }
    public Invariants Invariants { get; }
    public Faults Faults { get; }

    /// <summary>What a plan of somebody's own says; null = the seed's faults alone.</summary>
    public PlannedFaults? Planned { get; }
    public Supervisor Supervisor { get; }
    public SortedDictionary<string, long> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>Milliseconds.</summary>
    public double Now { get; private set; }
    public long Events { get; private set; }

    /// <summary>A coordinator has seen the last step through.</summary>
    public bool IsFinished { get; set; }

    public bool IsTracing => _trace is not null;

    public void Count(string what, long by = 1) => Counts[what] = Counts.GetValueOrDefault(what) + by;

    public void Say(Process who, string what) => Say(who.Name, what);

    public void Say(string who, string what) =>
        _trace?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Now,12:0.000} #{Events,-6} {who,-14} {what}"));

    public void After(double milliseconds, Action action) => _queue.Enqueue(action, (Now + Math.Max(0, milliseconds), ++_number));

    /// <summary>Carries out the events until the run is finished and old coordinators have stepped down.</summary>
    /// <exception cref="InvariantViolation">A promise was broken.</exception>
    public void Run()
    {
        Faults.Begin();
        Supervisor.Begin();
        var healed = Faults.HealedAt;
        while (!IsFinished || !Supervisor.IsQuiet)
        {
            if (!_queue.TryDequeue(out var action, out var at)) throw Stuck("nothing is left to happen");
            Now = at.Time;
            Events++;
            // A fault that waits for its moment may come late; only from then on does the clock run.
            healed = Math.Max(healed, Faults.HealedAt);
            if (Now > healed + SimulationLimits.MillisecondsToFinish) throw Stuck($"{SimulationLimits.MillisecondsToFinish / 1000:0} virtual seconds after the last fault");
            if (Events > SimulationLimits.Events) throw Stuck($"after {SimulationLimits.Events} events");
            action();
            Invariants.AfterEvent();
        }
        Invariants.AtEnd();
    }

    private InvariantViolation Stuck(string when) => new(InvariantNames.Finishes,
        $"{when}, {(IsFinished ? "an old coordinator has not stepped down" : $"the log has {Disk.Authority?.Records.Count ?? 0} of {Scenario.Steps} steps")}: {Supervisor}");
}

/// <summary>Bounds of a simulated run.</summary>
internal static class SimulationLimits
{
    /// <summary>
    /// Virtual time from the last fault to the end: 12 steps of 9 leaves on one slow worker (12 x 9 x 30 ms x 8) are 26 s;
    /// every restart, grace and repetition is 1 to 3 s, and a few tens of them may follow one another.
    /// </summary>
    public const double MillisecondsToFinish = 120_000;

    /// <summary>A run has some thousand events; a hundred times that is a storm.</summary>
    public const long Events = 400_000;

    /// <summary>Nothing has come in for so long: ask again.</summary>
    public const double AskAgainMilliseconds = 1_000;

    /// <summary>Silence after which a process counts as lost: the lease, as a link has it.</summary>
    public const double SilenceMilliseconds = 500;

    /// <summary>Between two looks at who is there.</summary>
    public const double MembershipTickMilliseconds = 50;

    /// <summary>Between two tries at a disk that is full.</summary>
    public const double DiskRetryMilliseconds = 100;

    /// <summary>For missing nodes, while some are here.</summary>
    public const double GraceMilliseconds = 2_000;
}
