using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

// Samples that cannot be decoded (decision 0016): the first report of an attempt binds every copy of the leaf, as the next
// attempt. What counts as read is never a worker's own affair, or two copies of one leaf would not be the same bits.
public static partial class StepProtocol
{
    private static (StepState, ImmutableArray<StepEffect>) LeaveOut(StepState state, LeafUnreadable report, double now)
    {
        if (report.Leaf < 0 || report.Leaf >= state.Leaves.Length) return Drop(state, "leaf that does not exist");
        if (!state.Workers.TryGetValue(report.Worker, out var worker)) return Drop(state, "leaf of a worker that is gone");
        // Whatever the sender is: only what can be a sample, and reasons of one line.
        var lost = (report.Samples ?? []).Where(s => s is { Sample: >= 0 } && !state.LeftOut.ContainsKey(s.Sample)).DistinctBy(static s => s.Sample)
            .Select(static s => UndecodedSample.Of(s.Sample, s.Reason ?? "no reason is given")).ToArray();
        if (lost.Length == 0) return Drop(state, "sample that is left out already");
        var next = Alive(state, worker, now);
        if (state.Recorded is not null) return Elsewhere(next, report, lost[0], now);
        if (lost.Length > state.Plan.Leaf(report.Leaf).Count - state.LeftOut.Values.Count(leaf => leaf == report.Leaf)) return Drop(state, "more samples than the leaf has");

        var leftOut = state.LeftOut.AddRange(lost.Select(s => KeyValuePair.Create(s.Sample, report.Leaf)));
        var says = Told(state, report, lost);
        if (IsTooMuch(leftOut.Count, state.Plan.SampleCount))
            return Then(next with { Phase = StepPhase.Halted },
                [.. says, new StepEffect.Halt($"{leftOut.Count} of the {state.Plan.SampleCount} samples of step {state.Step} cannot be decoded, the last of them sample {lost[^1].Sample} on {report.Worker} ({lost[^1].Reason}): that is not a few damaged images. See whether the data is where it was and what 'data check' says of it, then resume.")]);
        var (rest, effects) = Attempt(
            next with
            {
                LeftOut = leftOut,
                EmptyLeaves = [.. leftOut.GroupBy(static s => s.Value).Where(g => g.Count() == state.Plan.Leaf(g.Key).Count).Select(static g => g.Key).Order()],
                // Its hashes are of other samples than the next attempt's.
                Audit = state.Audit?.Leaf == report.Leaf ? null : state.Audit,
            }, now);
        return (rest, [.. says, new StepEffect.Abandon(state.Step, state.Attempt, $"{report.Worker} cannot decode {Samples(lost.Length)} of leaf {report.Leaf} of step {state.Step}, first sample {lost[0].Sample}"), .. effects]);
    }

    /// <summary>A step keeps most of its samples, or is not computed at all.</summary>
    public static bool IsTooMuch(int leftOut, int samples) => leftOut > Limits.MaxLeftOut || leftOut > Limits.FewUndecoded && 2L * leftOut > samples;

    /// <summary>
    /// In a replay nothing is left out but what the record names: whoever made the record could read the rest. So the leaf
    /// goes to somebody else; when nobody is left who answers and has not tried, the run halts.
    /// </summary>
    private static (StepState, ImmutableArray<StepEffect>) Elsewhere(StepState state, LeafUnreadable report, UndecodedSample sample, double now)
    {
        var next = state with { Blind = state.Blind.Add((report.Leaf, report.Worker)) };
        var what = $"{report.Worker} cannot decode sample {sample.Sample} ({sample.Reason}), which the record of step {state.Step} counts";
        if (IsReadByNobody(next, report.Leaf))
            return Halt(next, $"Step {state.Step} cannot be replayed: {what}{(state.Workers.Count > 1 ? ", nor can any other worker that answers" : "")}. Bring the data back as it was, and resume.");
        (next, var effects) = Attempt(next, now);
        return (next, [new StepEffect.Say("sample-unreadable", report.Worker.ToString(), what + ": the leaf is replayed by another worker."), new StepEffect.Abandon(state.Step, state.Attempt, what), .. effects]);
    }

    /// <summary>Workers to which a leaf may go: those that have failed to read it only when nobody else answers.</summary>
    private static bool MayRead(StepState state, int leaf, WorkerId worker) =>
        state.Blind.IsEmpty || !state.Blind.Contains((leaf, worker)) || IsReadByNobody(state, leaf);

    /// <summary>One that hangs may be able to, but a replay does not wait for it.</summary>
    private static bool IsReadByNobody(StepState state, int leaf) => state.Workers.Values.All(w => w.IsHung || state.Blind.Contains((leaf, w.Worker)));

    private static StepEffect[] Told(StepState state, LeafUnreadable report, UndecodedSample[] lost)
    {
        var node = report.Worker.ToString();
        var says = lost.Take(Limits.ToldUndecoded).Select(s => new StepEffect.Say("sample-left-out", node,
            $"Sample {s.Sample} is left out of leaf {report.Leaf} of step {state.Step}: {report.Worker} cannot decode it ({s.Reason.TrimEnd('.')}).")).ToList();
        if (lost.Length > says.Count) says.Add(new StepEffect.Say("sample-left-out", node, $"{Samples(lost.Length - says.Count)} more of leaf {report.Leaf} of step {state.Step} cannot be decoded either and {(lost.Length - says.Count == 1 ? "is" : "are")} left out."));
        return [.. says];
    }

    private static string Samples(int count) => count == 1 ? "1 sample" : $"{count} samples";

    /// <summary>The worker has said something; how long a leaf takes it does not tell.</summary>
    private static StepState Alive(StepState state, WorkerStanding worker, double now) =>
        state with { Workers = state.Workers.SetItem(worker.Worker, worker.GoesOn(now) with { IsHung = false, IsBehind = false }) };

    private static (StepState, ImmutableArray<StepEffect>) Late(StepState state, LeafUnreadable report, string reason, double now) =>
        report.Term == state.Term && state.Workers.TryGetValue(report.Worker, out var worker) && (worker.IsBehind || worker.IsHung)
            ? (Alive(state, worker, now), [new StepEffect.Drop(reason)])
            : Drop(state, reason);
}
