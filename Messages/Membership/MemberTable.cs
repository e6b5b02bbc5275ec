using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>
/// The coordinator's register of a run's processes. Pure: a notice and the time in; the next table and what to do out. Times
/// are of one monotonic clock. Notices about an incarnation that a name no longer has are void and change nothing.
/// </summary>
public sealed partial record MemberTable
{
    private readonly MembershipPolicy _policy;

    private MemberTable(MembershipPolicy policy, MembershipView view) => (_policy, View) = (policy, view);

    /// <summary>The newest view.</summary>
    public MembershipView View { get; private init; }

    /// <summary>Every name that was ever used or reserved.</summary>
    public ImmutableSortedDictionary<string, Slot> Slots { get; private init; } = ImmutableSortedDictionary.Create<string, Slot>(StringComparer.Ordinal);

    /// <summary>When a tick is due; <see cref="TimeSpan.MaxValue"/> while nobody is held.</summary>
    public TimeSpan NextDeadline => Slots.Values.Where(slot => slot.Phase == SlotPhase.Held).Select(slot => slot.HeldUntil).DefaultIfEmpty(TimeSpan.MaxValue).Min();

    /// <summary>A table with the coordinator alone, in view 1.</summary>
    /// <param name="term">What it asks the shards for.</param>
    /// <param name="coordinator">Itself.</param>
    /// <param name="known">Names of the run before a takeover: kept for a while for those who had them.</param>
    public static MemberTable Create(Term term, Member coordinator, IEnumerable<string> known, MembershipPolicy policy, TimeSpan now)
    {
        var view = new MembershipView(1, term, coordinator, [], string.Create(CultureInfo.InvariantCulture, $"{coordinator.Name} is here, for term {term}"));
        var reserved =
            from name in known
            from role in (MemberRole[])[MemberRole.ParameterServer, MemberRole.Worker]
            let index = MemberNames.IndexIn(name, role)
            where index is not null
            select Slot.Unused(role, index.Value) with { ReservedUntil = now + policy.Reserved };
        return new MemberTable(policy, view) { Slots = reserved.DistinctBy(slot => slot.Name).ToImmutableSortedDictionary(slot => slot.Name, slot => slot, StringComparer.Ordinal) };
    }

    /// <summary>A process wants in.</summary>
    public (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Hello(MemberHello hello, TimeSpan now)
    {
        if (hello.Role is not (MemberRole.Worker or MemberRole.ParameterServer))
            return Refuse($"this run has its coordinator, at {View.Coordinator!.Address}; join as worker or ps");
        if (hello.Incarnation <= 0) return Refuse($"incarnation {hello.Incarnation} is no incarnation; send one above 0 that grows from start to start");
        if (hello.Address.Length > Limits.MaxMemberText) return Refuse($"an address of {hello.Address.Length} characters; at most {Limits.MaxMemberText}");
        if (hello.Name is null)
        {
            return LowestFree(hello.Role, now) is { } free
                ? Join(free, hello, now)
                : Refuse($"all {MemberNames.Most(hello.Role)} places of this role are taken", tryAgain: true);
        }
        if (MemberNames.IndexIn(hello.Name, hello.Role) is not { } index)
        {
            var shown = hello.Name.Length <= 64 ? hello.Name : hello.Name[..64] + "…";
            return Refuse($"'{shown}' is no name of this role; use {MemberNames.Of(hello.Role, 0)} to {MemberNames.Of(hello.Role, MemberNames.Most(hello.Role) - 1)}, or none");
        }
        return Claim(Slots.GetValueOrDefault(hello.Name) ?? Slot.Unused(hello.Role, index), hello, now);
    }

    /// <summary>A process's connection is gone: it is dead, or as good as.</summary>
    /// <param name="cause">A sentence's end: <c>connection reset</c>.</param>
    public (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Disconnected(string name, long incarnation, string cause, TimeSpan now)
    {
        if (!Concerns(name, incarnation, out var slot) || slot.Phase == SlotPhase.Free) return (this, []);
        var next = With(slot with { Phase = SlotPhase.Free, Since = now, HeldUntil = TimeSpan.MaxValue, WasLeaving = false });
        return slot.Phase switch
        {
            SlotPhase.Leaving => next.Shown($"{name} has left as planned", name),
            SlotPhase.Up => next.Shown($"{name} is lost ({cause}): {Consequence(slot.Role)}", name),
            SlotPhase.Silent => (next, [new MembershipEffect.Say(name, $"{name}, silent for {Seconds(now - slot.Since)}, is lost ({cause})")]),
            _ => (next, [new MembershipEffect.Say(name, $"{name} is gone again ({cause}) before it was let in")]),
        };
    }

    /// <summary>Nothing was heard of a process for longer than its lease.</summary>
    /// <param name="silence">How long.</param>
    public (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Silent(string name, long incarnation, TimeSpan silence, TimeSpan now)
    {
        if (!Concerns(name, incarnation, out var slot) || !slot.IsInView) return (this, []);
        var next = With(slot with { Phase = SlotPhase.Silent, Since = now - silence, WasLeaving = slot.Phase == SlotPhase.Leaving });
        return next.Shown($"{name} is silent for {Seconds(silence)}: {Consequence(slot.Role)}", name);
    }

    /// <summary>A silent process speaks again. It comes back if nobody has taken its place.</summary>
    public (MemberTable Next, ImmutableArray<MembershipEffect> Effects) HeardAgain(string name, long incarnation, TimeSpan now)
    {
        if (!Slots.TryGetValue(name, out var slot)) return (this, []);
        if (slot.Incarnation != incarnation) return (this, [VoidOf(slot, incarnation)]);
        return slot.Phase == SlotPhase.Silent ? Return(slot, now) : (this, []);
    }

    /// <summary>A process will go when its work is done.</summary>
    public (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Leaving(string name, long incarnation, TimeSpan now)
    {
        if (!Concerns(name, incarnation, out var slot)) return (this, []);
        if (slot.Phase == SlotPhase.Silent) return (With(slot with { WasLeaving = true }), []);
        if (slot.Phase != SlotPhase.Up) return (this, []);
        return With(slot with { Phase = SlotPhase.Leaving, Since = now }).Shown($"{name} leaves as planned: it finishes its work and gets no more", name);
    }

    /// <summary>Time has passed: those whose hold-off is over are let in.</summary>
    public (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Tick(TimeSpan now)
    {
        var (table, effects) = (this, ImmutableArray<MembershipEffect>.Empty);
        foreach (var held in Slots.Values.Where(slot => slot.Phase == SlotPhase.Held && slot.HeldUntil <= now))
        {
            var (next, more) = table.LetIn(held, now, "after its hold-off");
            (table, effects) = (next, effects.AddRange(more));
        }
        return (table, effects);
    }

    private bool Concerns(string name, long incarnation, out Slot slot) => Slots.TryGetValue(name, out slot!) && slot.Incarnation == incarnation;

    private MemberTable With(Slot slot) => this with { Slots = Slots.SetItem(slot.Name, slot) };

    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Refuse(string sentence, bool tryAgain = false) =>
        (this, [new MembershipEffect.Refuse(sentence, tryAgain)]);

    /// <summary>The next view, and its reason as an event.</summary>
    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Shown(string sentence, string name)
    {
        var members =
            from slot in Slots.Values
            where slot.IsInView
            orderby slot.Role, slot.Index
            select new Member(slot.Name, slot.Role, slot.Index, slot.Incarnation, slot.Address, slot.Phase == SlotPhase.Leaving ? MemberState.Leaving : MemberState.Up);
        var view = View with { Number = View.Number + 1, Members = [.. members], Reason = sentence };
        return (this with { View = view }, [new MembershipEffect.Show(view), new MembershipEffect.Say(name, sentence)]);
    }

    private static string Consequence(MemberRole role) =>
        role == MemberRole.Worker ? "its leaves go to others" : "the standbys of its shards take over, or the run goes back to its last checkpoint";

    private static string Seconds(TimeSpan time) => time.TotalSeconds < 1 ? $"{time.TotalMilliseconds:0} ms" : $"{time.TotalSeconds:0.0} s";
}
