using System.Collections.Immutable;
using Cluster.Chaos;
using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>Strikes a run's faults where they are due; <see cref="FaultSchedule"/> decides. Any thread. Dispose it when the run is over.</summary>
/// <param name="actuators">Who does which kind; every kind of <paramref name="faults"/> that does not arise inside a node has one.</param>
/// <param name="say">Hears a sentence per fault: node, sentence. Any thread, under this object's lock: must not call back.</param>
public sealed class FaultInjector(IEnumerable<FaultSpec> faults, IReadOnlyDictionary<FaultKind, IFaultActuator> actuators, TimeProvider time, Action<string, string> say) : IFaultTrigger, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<StepId, Task> _strikes = [];
    private readonly Dictionary<int, object> _struck = [];
    private readonly long _origin = time.GetTimestamp();
    private FaultSchedule _schedule = FaultSchedule.Of(faults);
    private ITimer? _timer;
    private bool _disposed;

    private TimeSpan Now => time.GetElapsedTime(_origin);

    public bool IsDue(StepId step)
    {
        lock (_lock) return _schedule.Holds(step);
    }

    public Task StrikeAsync(StepId step)
    {
        lock (_lock)
        {
            if (_strikes.TryGetValue(step, out var running)) return running;
            var indices = Take(_schedule.Begun(step));
            if (indices.Count == 0) return Task.CompletedTask;
            return _strikes[step] = Task.Run(() => Task.WhenAll(indices.Select(StrikeAsync)));
        }
    }

    public void Recorded(StepId step)
    {
        lock (_lock) Take(_schedule.Recorded(step));
    }

    /// <summary>The run is over: says which faults never struck.</summary>
    public void Ended()
    {
        lock (_lock) Take(_schedule.Ended());
    }

    /// <summary>What lasts is not ended: the supervisor continues what it stops.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private async Task StrikeAsync(int index)
    {
        var spec = _schedule.Faults[index].Spec;
        var struck = await actuators[spec.Kind].StrikeAsync(spec);
        lock (_lock)
        {
            if (struck is not null) _struck[index] = struck;
            Take(_schedule.Struck(index, struck is not null, Now));
            Wind();
        }
    }

    /// <summary>Accepts a decision: speaks and ends faults at once, and returns the strikes, which take time.</summary>
    private List<int> Take((FaultSchedule Next, ImmutableArray<FaultEffect> Effects) decision)
    {
        _schedule = decision.Next;
        var strikes = new List<int>();
        foreach (var effect in decision.Effects)
        {
            var spec = _schedule.Faults[effect.Fault].Spec;
            switch (effect)
            {
                case FaultEffect.Strike:
                    strikes.Add(effect.Fault);
                    break;
                case FaultEffect.End:
                    if (actuators[spec.Kind].End(spec, _struck[effect.Fault]) is { } words) say(spec.Node, $"fault {spec}: {words}");
                    break;
                case FaultEffect.Say said:
                    say(spec.Node, said.Sentence);
                    break;
            }
        }
        return strikes;
    }

    private void Wind()
    {
        _timer?.Dispose();
        var next = _schedule.NextEnd;
        if (_disposed || next == TimeSpan.MaxValue) return;
        var wait = next - Now;
        _timer = time.CreateTimer(_ => Ring(), null, wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Ring()
    {
        lock (_lock)
        {
            if (_disposed) return;
            Take(_schedule.Tick(Now));
            Wind();
        }
    }
}
