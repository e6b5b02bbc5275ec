using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>Who gets a name, and how fast.</summary>
public sealed partial record MemberTable
{
    private Slot? LowestFree(MemberRole role, TimeSpan now)
    {
        for (var index = 0; index < MemberNames.Most(role); index++)
        {
            if (!Slots.TryGetValue(MemberNames.Of(role, index), out var slot)) return Slot.Unused(role, index);
            if (slot.Phase == SlotPhase.Free && slot.ReservedUntil <= now) return slot;
        }
        return null;
    }

    /// <summary>A process asks for a name that others may have or have had.</summary>
    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Claim(Slot slot, MemberHello hello, TimeSpan now)
    {
        var isSame = slot.Incarnation == hello.Incarnation && slot.Phase != SlotPhase.Free;
        return slot.Phase switch
        {
            // A hello that comes twice, over a link that broke and was made anew before its end was noticed.
            SlotPhase.Up or SlotPhase.Leaving when isSame && slot.Address == hello.Address => (this, [new MembershipEffect.Named(slot.Name, slot.Incarnation), new MembershipEffect.Admit(slot.Name, slot.Incarnation)]),
            SlotPhase.Held when isSame => (this, [new MembershipEffect.Named(slot.Name, slot.Incarnation)]),
            SlotPhase.Silent when isSame => Named(slot, Return(slot with { Address = hello.Address }, now)),
            SlotPhase.Up or SlotPhase.Leaving => Refuse($"{slot.Name} is taken by a living process at {Where(slot.Address)} (incarnation {slot.Incarnation}); stop that one, or join without a name", tryAgain: true),
            _ when hello.Incarnation <= slot.Incarnation => Refuse($"incarnation {hello.Incarnation} of {slot.Name} is not newer than incarnation {slot.Incarnation}, which was here; start the process again"),
            SlotPhase.Silent => Replace(slot, hello, now),
            SlotPhase.Held => Hold(slot with { Incarnation = hello.Incarnation, Address = hello.Address }, slot.HeldUntil,
                [VoidOf(slot with { Incarnation = hello.Incarnation }, slot.Incarnation), new MembershipEffect.Named(slot.Name, hello.Incarnation)], now),
            _ => Join(slot, hello, now),
        };
    }

    /// <summary>The old process may still wake up: its messages are void from here on.</summary>
    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Replace(Slot slot, MemberHello hello, TimeSpan now)
    {
        var newSlot = slot with { Incarnation = hello.Incarnation, Address = hello.Address, WasLeaving = false };
        var (next, effects) = Join(slot with { WasLeaving = false }, hello, now);
        return (next, [VoidOf(newSlot, slot.Incarnation), .. effects]);
    }

    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Join(Slot slot, MemberHello hello, TimeSpan now)
    {
        if (hello.Incarnation <= slot.Incarnation)
            return Refuse($"incarnation {hello.Incarnation} of {slot.Name} is not newer than incarnation {slot.Incarnation}, which was here; start the process again");
        var before = slot.Incarnation;
        return Named(slot with { Incarnation = hello.Incarnation }, Enter(slot with { Incarnation = hello.Incarnation, Address = hello.Address }, now, before == 0 ? "" : $"anew (incarnation {hello.Incarnation} after {before})"));
    }

    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Return(Slot slot, TimeSpan now) =>
        Enter(slot, now, $"again, after {Seconds(now - slot.Since)} of silence");

    private static (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Named(Slot slot, (MemberTable Next, ImmutableArray<MembershipEffect> Effects) then) =>
        (then.Next, [new MembershipEffect.Named(slot.Name, slot.Incarnation), .. then.Effects]);

    /// <summary>In at once, or after a hold-off when the name comes and goes too often.</summary>
    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Enter(Slot slot, TimeSpan now, string how)
    {
        var recent = slot.Joins.RemoveAll(join => now - join >= _policy.Window);
        if (recent.Length < _policy.FreeJoins) return LetIn(slot with { Joins = recent, HoldOffs = recent.IsEmpty ? 0 : slot.HoldOffs }, now, how);

        var holdOff = TimeSpan.FromTicks(slot.HoldOffs >= 30 ? _policy.LongestHoldOff.Ticks : Math.Min(_policy.LongestHoldOff.Ticks, _policy.FirstHoldOff.Ticks << slot.HoldOffs));
        var sentence = $"{slot.Name} joined {recent.Length} times within {Seconds(_policy.Window)}: it is let in more slowly until it stays, after {Seconds(holdOff)} now and at most {Seconds(_policy.LongestHoldOff)} later";
        return Hold(slot with { Joins = recent, HoldOffs = slot.HoldOffs + 1 }, now + holdOff, slot.HoldOffs == 0 ? [new MembershipEffect.Say(slot.Name, sentence)] : [], now);
    }

    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) Hold(Slot slot, TimeSpan until, ImmutableArray<MembershipEffect> effects, TimeSpan now) =>
        (With(slot with { Phase = SlotPhase.Held, HeldUntil = until, Since = now }), effects);

    private (MemberTable Next, ImmutableArray<MembershipEffect> Effects) LetIn(Slot slot, TimeSpan now, string how)
    {
        // Older joins than the free ones plus this one decide nothing: the list stays as short as that.
        var joins = slot.Joins.Length > _policy.FreeJoins ? slot.Joins.RemoveAt(0) : slot.Joins;
        var inside = slot with { Phase = slot.WasLeaving ? SlotPhase.Leaving : SlotPhase.Up, Since = now, Joins = joins.Add(now), HeldUntil = TimeSpan.MaxValue, WasLeaving = false };
        var (next, effects) = With(inside).Shown(how.Length == 0 ? $"{slot.Name} joins" : $"{slot.Name} joins {how}", slot.Name);
        return (next, [new MembershipEffect.Admit(slot.Name, slot.Incarnation), .. effects]);
    }

    private static MembershipEffect.Void VoidOf(Slot slot, long incarnation) =>
        new(slot.Name, incarnation, $"incarnation {incarnation} of {slot.Name} was given up when it fell silent; incarnation {slot.Incarnation} has its place");

    private static string Where(string address) => address.Length == 0 ? "an address that it did not say" : address;
}
