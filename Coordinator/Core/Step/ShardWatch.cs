using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What one shard is waited for, and how long it took so far.</summary>
/// <param name="Since">When it became the one that is waited for, in milliseconds; null = it is not.</param>
/// <param name="Sums">How long its last sums were waited for.</param>
/// <param name="Updates">The same of its updates.</param>
public sealed record ShardClock(double? Since, ImmutableArray<double> Sums, ImmutableArray<double> Updates)
{
    public static readonly ShardClock Fresh = new(null, [], []);
}

/// <summary>
/// Names processes with shards that are alive and keep the step waiting: all leaves are computed and a shard has not
/// summed, or the record is written and it has not applied. Pure: it looks at the step protocol's state from outside and changes nothing.
/// </summary>
/// <param name="Clocks">By shard.</param>
/// <param name="Late">Processes whose lateness has been told, until a sum of theirs is in time again.</param>
public sealed record ShardWatch(ImmutableArray<ShardClock> Clocks, ImmutableSortedSet<NodeId> Late, Term Term, StepId Step, int Attempt, StepPhase Phase)
{
    /// <summary>A shard is never called late before, and not before it took so many times its usual.</summary>
    private const double Floor = Limits.ShardLateMilliseconds, Factor = 5;

    /// <summary>Answers that make up the usual.</summary>
    private const int Kept = 15;

    public static readonly ShardWatch Nothing = new([], [], default, default, 0, StepPhase.Idle);

    /// <summary>To be called after every change of the step's state, and now and then.</summary>
    /// <param name="places">Of the term, by shard; empty before the first.</param>
    /// <param name="now">Milliseconds on the clock of <see cref="StepProtocol.Advance"/>.</param>
    public static (ShardWatch Next, ImmutableArray<StepEffect.Say> Said) Look(ShardWatch watch, StepState step, ImmutableArray<ShardPlace> places, double now)
    {
        ArgumentNullException.ThrowIfNull(watch);
        ArgumentNullException.ThrowIfNull(step);
        if (places.IsEmpty || step.Term != watch.Term || watch.Clocks.Length != places.Length)
        {
            // Another term, other places: what was waited for is void.
            var clocks = watch.Clocks.Length == places.Length ? watch.Clocks.Select(static c => c with { Since = null }) : places.Select(static _ => ShardClock.Fresh);
            watch = Nothing with { Clocks = [.. clocks], Late = watch.Late, Term = step.Term };
        }
        var next = watch with { Step = step.Step, Attempt = step.Attempt, Phase = step.Phase };
        var isComputing = step.Phase == StepPhase.Gathering && !StepProtocol.IsAllPushed(step);
        for (var shard = 0; shard < places.Length; shard++)
        {
            var clock = watch.Clocks[shard];
            var isAwaited = !isComputing && IsMissing(step, shard);
            if (clock.Since is { } since && !(isAwaited && step.Step == watch.Step && step.Attempt == watch.Attempt && step.Phase == watch.Phase))
            {
                if (HasAnswered(watch, step, shard)) (next, clock) = Answered(next, places[shard], clock, watch.Phase, now - since);
                clock = clock with { Since = null };
            }
            if (isAwaited) clock = clock with { Since = clock.Since ?? now };
            if (clock != watch.Clocks[shard]) next = next with { Clocks = next.Clocks.SetItem(shard, clock) };
        }
        var said = ImmutableArray.CreateBuilder<StepEffect.Say>();
        foreach (var place in places)
        {
            if (LateSentence(next, place, now) is not { } sentence) continue;
            said.Add(new StepEffect.Say("shard-late", place.Primary.ToString(), sentence));
            next = next with { Late = next.Late.Add(place.Primary) };
        }
        return (next, said.ToImmutable());
    }

    /// <summary>Whether the step's phase waits for an answer of this shard.</summary>
    private static bool IsMissing(StepState step, int shard) => step.Phase switch
    {
        StepPhase.Gathering => step.Reduced[shard] is null && !step.Ahead[shard],
        StepPhase.Applying => !step.Applied[shard],
        _ => false,
    };

    /// <summary>Not when the attempt was abandoned, or a leaf that had been reported is computed again.</summary>
    private static bool HasAnswered(ShardWatch watch, StepState step, int shard) =>
        step.Step != watch.Step || step.Attempt == watch.Attempt && (step.Phase != watch.Phase || !IsMissing(step, shard));

    private static (ShardWatch, ShardClock) Answered(ShardWatch watch, ShardPlace place, ShardClock clock, StepPhase phase, double took)
    {
        if (phase == StepPhase.Applying) return (watch, clock with { Updates = Push(clock.Updates, took) });
        if (took <= Bound(clock.Sums)) watch = watch with { Late = watch.Late.Remove(place.Primary) };
        return (watch, clock with { Sums = Push(clock.Sums, took) });
    }

    private static ImmutableArray<double> Push(ImmutableArray<double> times, double took) => times.Length < Kept ? times.Add(took) : times.RemoveAt(0).Add(took);

    private static double Bound(ImmutableArray<double> times) => times.IsEmpty ? Floor : Math.Max(Floor, Factor * times.Order().ElementAt((times.Length - 1) / 2));

    /// <summary>What there is to tell about the shard's process; null = it is in time, or known to be late.</summary>
    private static string? LateSentence(ShardWatch watch, ShardPlace place, double now)
    {
        var clock = watch.Clocks[place.Shard.Index];
        var isSum = watch.Phase == StepPhase.Gathering;
        if (clock.Since is not { } since || now - since <= Bound(isSum ? clock.Sums : clock.Updates)) return null;
        // An update waits for the standby as well: when that process is known to be late, it is not the primary that is.
        if (watch.Late.Contains(place.Primary) || !isSum && place.Standby is { } standby && watch.Late.Contains(standby)) return null;
        var what = isSum
            ? $"summed the gradients of step {watch.Step} although all leaves are computed"
            : $"applied step {watch.Step}{(place.Standby is { } other ? $", which its standby on {other} does first" : "")}";
        return $"{place.Primary} has not {what}, for {(now - since) / 1_000:0.0} s: it is alive, and its messages wait, or come to it late.";
    }
}
