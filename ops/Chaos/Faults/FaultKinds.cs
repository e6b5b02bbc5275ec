using System.Collections.Frozen;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>A number that a fault takes beside its duration: <c>,factor=10</c>.</summary>
public sealed record FaultSetting(string Name, double Default, double Least, double Most, string Meaning);

/// <summary>What a kind of fault is called, whom it may strike, and what can be said about it.</summary>
/// <param name="Word">As written in plans and after <c>--fault</c>.</param>
/// <param name="Roles">Roles of possible victims: <c>coordinator</c>, <c>ps</c>, <c>worker</c>.</param>
/// <param name="Seconds">Default duration; null = it takes none.</param>
/// <param name="Past">What happened to the victim, for a sentence: "was killed".</param>
/// <param name="Meaning">One line of documentation.</param>
public sealed record FaultKindFacts(FaultKind Kind, string Word, string[] Roles, double? Seconds, string Past, string Meaning)
{
    public FaultSetting[] Settings { get; init; } = [];

    /// <summary>Arises in the node itself, which is told of it when it is started; nothing has to strike.</summary>
    public bool IsInside { get; init; }

    /// <summary>The connections of the node run through a proxy.</summary>
    public bool IsNetwork { get; init; }
}

/// <summary>The closed list of <see cref="FaultKind"/>.</summary>
public static class FaultKinds
{
    private static readonly string[] Anyone = ["coordinator", "ps", "worker"], Workers = ["worker"], Coordinators = ["coordinator"], Shards = ["ps"], Dialling = ["ps", "worker"];

    public static readonly IReadOnlyList<FaultKindFacts> All =
    [
        new(FaultKind.Kill, "kill", Anyone, null, "was killed", "SIGKILL; it is started again"),
        new(FaultKind.OutOfMemory, "oom", Dialling, null, "was killed as the kernel does when memory runs out", "SIGKILL that nobody in the run knows of beforehand"),
        new(FaultKind.Stop, "stop", Anyone, Limits.FaultStopSeconds, "was stopped", "SIGSTOP, then SIGCONT"),
        new(FaultKind.Leave, "leave", Workers, 2, "was asked to leave", "SIGTERM; it joins again after so long"),
        new(FaultKind.Join, "join", Workers, null, "was started", "one more worker, of a name that the run did not begin with"),
        new(FaultKind.Zombie, "zombie", Coordinators, 3, "was stopped, and another started beside it", "it wakes up after so long"),

        new(FaultKind.NotANumber, "nan", Workers, null, "finds a NaN", "a NaN in the gradient of its first leaf of the step") { IsInside = true },
        new(FaultKind.Lie, "lie", Workers, null, "lies", "wrong bits, from this step on, in the first leaf of its that is audited") { IsInside = true },
        new(FaultKind.Hang, "hang", Workers, 3_600, "hangs", "its device does not come back from the step's first leaf for so long") { IsInside = true },
        new(FaultKind.Slow, "slow", Workers, 5, "is slow", "its leaves take longer for so long") { IsInside = true, Settings = [new("factor", 10, 1, 1_000, "times the usual")] },
        new(FaultKind.Backlog, "backlog", Shards, 3, "is late", "its shards handle every message late for so long") { IsInside = true, Settings = [new("ms", 1_000, 1, 60_000, "milliseconds that each message takes longer, one after the other")] },
        new(FaultKind.DiskFull, "disk-full", Coordinators, 3, "finds its disk full", "its writes fail for so long") { IsInside = true },
        new(FaultKind.DataMissing, "no-data", Workers, null, "was killed, and its data set is incomplete", "killed; its next start finds a file of its data set missing"),
        new(FaultKind.VersionSkew, "skew", Dialling, null, "was killed, and comes back as another version", "killed; its next start is of another version"),

        new(FaultKind.Cut, "cut", Dialling, null, "lost its connections", "all connections of the node are reset") { IsNetwork = true },
        new(FaultKind.BlackHole, "black-hole", Dialling, 2, "was cut off", "nothing gets through to it or from it") { IsNetwork = true },
        new(FaultKind.BlackHoleIn, "black-hole-in", Dialling, 2, "hears nothing", "nothing reaches it") { IsNetwork = true },
        new(FaultKind.BlackHoleOut, "black-hole-out", Dialling, 2, "is not heard", "nothing that it sends arrives") { IsNetwork = true },
        new(FaultKind.Delay, "delay", Dialling, 5, "has a slow network", "everything to and from it comes late") { IsNetwork = true, Settings = [new("ms", 50, 0, 60_000, "milliseconds one way"), new("jitter", 20, 0, 60_000, "milliseconds more, drawn for each segment")] },
        new(FaultKind.Throttle, "throttle", Dialling, 5, "has a narrow network", "bytes to and from it pass at this rate") { IsNetwork = true, Settings = [new("mbs", 4, 0.001, 100_000, "megabytes per second and direction")] },
        new(FaultKind.Corrupt, "corrupt", Dialling, null, "gets damaged bytes", "one bit of its next large segment is flipped") { IsNetwork = true },
        new(FaultKind.Duplicate, "duplicate", Dialling, null, "gets bytes twice", "its next large segment passes twice") { IsNetwork = true },
        new(FaultKind.Reorder, "reorder", Dialling, null, "gets bytes in the wrong order", "its next two large segments change places") { IsNetwork = true },
    ];

    private static readonly FrozenDictionary<FaultKind, FaultKindFacts> ByKind = All.ToFrozenDictionary(static f => f.Kind);

    private static readonly FrozenDictionary<string, FaultKindFacts> ByWord = All.ToFrozenDictionary(static f => f.Word, StringComparer.Ordinal);

    public static FaultKindFacts Facts(this FaultKind kind) => ByKind[kind];

    public static FaultKindFacts? Of(string word) => ByWord.GetValueOrDefault(word);
}
