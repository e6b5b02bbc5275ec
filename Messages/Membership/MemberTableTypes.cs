using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>How the registry lets flapping nodes in.</summary>
public sealed record MembershipPolicy
{
    public static readonly MembershipPolicy Default = new();

    /// <summary>Joins of one name within <see cref="Window"/> that are not slowed.</summary>
    public int FreeJoins { get; init; } = Limits.FreeJoins;

    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(Limits.JoinWindowSeconds);

    public TimeSpan FirstHoldOff { get; init; } = TimeSpan.FromSeconds(Limits.FirstHoldOffSeconds);

    public TimeSpan LongestHoldOff { get; init; } = TimeSpan.FromSeconds(Limits.MaxHoldOffSeconds);

    /// <summary>How long names of an earlier term are kept for those who had them.</summary>
    public TimeSpan Reserved { get; init; } = TimeSpan.FromSeconds(Limits.ReservedNameSeconds);
}

/// <summary>Where a name stands.</summary>
public enum SlotPhase
{
    /// <summary>Nobody has it.</summary>
    Free,

    /// <summary>In the view.</summary>
    Up,

    /// <summary>In the view, on its way out.</summary>
    Leaving,

    /// <summary>Not heard of, not known to be dead. Out of the view.</summary>
    Silent,

    /// <summary>Here, but flapping: let in when <see cref="Slot.HeldUntil"/> comes.</summary>
    Held,
}

/// <summary>One name and its history.</summary>
/// <param name="Incarnation">Of its present or last process; 0 before the first.</param>
/// <param name="WasLeaving">A silent one was on its way out.</param>
/// <param name="Since">When <paramref name="Phase"/> began.</param>
/// <param name="Joins">Times of its joins within the policy's window, oldest first.</param>
/// <param name="HoldOffs">Hold-offs in a row; 0 = steady.</param>
/// <param name="ReservedUntil">A newcomer without a name does not get this one before.</param>
public sealed record Slot(
    string Name, MemberRole Role, int Index, SlotPhase Phase, long Incarnation, string Address, bool WasLeaving, TimeSpan Since,
    ImmutableArray<TimeSpan> Joins, int HoldOffs, TimeSpan HeldUntil, TimeSpan ReservedUntil)
{
    public bool IsInView => Phase is SlotPhase.Up or SlotPhase.Leaving;

    internal static Slot Unused(MemberRole role, int index) =>
        new(MemberNames.Of(role, index), role, index, SlotPhase.Free, 0, "", false, TimeSpan.Zero, [], 0, TimeSpan.MaxValue, TimeSpan.Zero);
}

/// <summary>What the registry does next, in this order.</summary>
public abstract record MembershipEffect
{
    private MembershipEffect() { }

    /// <summary>This hello got a name. Its welcome follows, or comes after a hold-off.</summary>
    public sealed record Named(string Name, long Incarnation) : MembershipEffect;

    /// <summary>This process is in; its welcome carries the newest view.</summary>
    public sealed record Admit(string Name, long Incarnation) : MembershipEffect;

    /// <summary>This hello is refused; tell the sender.</summary>
    public sealed record Refuse(string Sentence, bool TryAgain) : MembershipEffect;

    /// <summary>This process has lost its place: tell it why and close. Its messages are void.</summary>
    public sealed record Void(string Name, long Incarnation, string Sentence) : MembershipEffect;

    /// <summary>A new view for everybody.</summary>
    public sealed record Show(MembershipView View) : MembershipEffect;

    /// <summary>A sentence for events.jsonl.</summary>
    public sealed record Say(string Name, string Sentence) : MembershipEffect;
}
