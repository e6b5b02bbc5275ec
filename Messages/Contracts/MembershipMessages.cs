using MessagePack;

namespace Cluster.Contracts;

/// <summary>What a process does in a run. Numbers are on the wire.</summary>
public enum MemberRole
{
    Coordinator = 0,
    ParameterServer = 1,
    Worker = 2,
}

/// <summary>How a member of a view stands. Who is silent or lost is in no view. Numbers are on the wire.</summary>
public enum MemberState
{
    Up = 0,

    /// <summary>Finishes what it does and then goes: it gets no new work.</summary>
    Leaving = 1,
}

/// <summary>One process of a run.</summary>
/// <param name="Name"><c>coordinator</c>, <c>worker-3</c>, <c>ps-0</c>.</param>
/// <param name="Index">The number in the name; 0 for the coordinator.</param>
/// <param name="Incarnation">Grows from start to start of a name; a message of an older one is void.</param>
/// <param name="Address">Where others reach it, as the transport writes it; empty if nowhere.</param>
[MessagePackObject]
public sealed record Member(
    [property: Key(0)] string Name,
    [property: Key(1)] MemberRole Role,
    [property: Key(2)] int Index,
    [property: Key(3)] long Incarnation,
    [property: Key(4)] string Address,
    [property: Key(5)] MemberState State);

/// <summary>Who is there. Views are ordered by (term candidate, number); an older one is void.</summary>
/// <param name="Number">Grows by 1 from view to view of one coordinator, from 1; 0 before anything is known.</param>
/// <param name="TermCandidate">The term that this coordinator asks the shards for.</param>
/// <param name="Coordinator">Null while none is known to live.</param>
/// <param name="Members">All but the coordinator, ordered by role, then index.</param>
/// <param name="Reason">A sentence: what changed.</param>
[MessagePackObject]
public sealed record MembershipView(
    [property: Key(0)] long Number,
    [property: Key(1)] Term TermCandidate,
    [property: Key(2)] Member? Coordinator,
    [property: Key(3)] IReadOnlyList<Member> Members,
    [property: Key(4)] string Reason);

/// <summary>A process to the coordinator: let me in. Sent again, with the name it got, to a coordinator that took over.</summary>
/// <param name="Name">The name it wants, or null for the lowest free one of its role.</param>
/// <param name="Incarnation">Higher than that of every earlier process of this name, e.g. its start in Unix milliseconds.</param>
[MessagePackObject]
public sealed record MemberHello(
    [property: Key(0)] string? Name,
    [property: Key(1)] MemberRole Role,
    [property: Key(2)] long Incarnation,
    [property: Key(3)] string Address);

/// <summary>Coordinator to process: you are in, under this name.</summary>
[MessagePackObject]
public sealed record MemberWelcome([property: Key(0)] string Name, [property: Key(1)] MembershipView View);

/// <summary>Coordinator to process: you are not let in, or no longer.</summary>
/// <param name="Sentence">Why, and what to do.</param>
/// <param name="TryAgain">Whether the same hello may be answered otherwise in a second.</param>
[MessagePackObject]
public sealed record MemberRefusal([property: Key(0)] string Sentence, [property: Key(1)] bool TryAgain);

/// <summary>Process to coordinator: I leave as planned, once my work is done.</summary>
[MessagePackObject]
public sealed record MemberLeaves([property: Key(0)] string Name, [property: Key(1)] long Incarnation);

/// <summary>Coordinator to every process that its engine sees: here I am. Whoever does not know it, or knows an older view, answers with its hello.</summary>
/// <param name="Number">Of the newest view.</param>
[MessagePackObject]
public sealed record CoordinatorCalls([property: Key(0)] Term Term, [property: Key(1)] long Number);

/// <summary>Process to a coordinator that calls.</summary>
/// <param name="Uid">The engine's number for this process; another one than that of the process which was at this address before.</param>
[MessagePackObject]
public sealed record MemberAnswers([property: Key(0)] int Uid, [property: Key(1)] MemberHello Hello);
