using System.Net;

namespace Cluster.Chaos.Proxy;

/// <summary>Which way bytes flow, seen from the node whose network is disturbed: from it, or to it.</summary>
public enum Flow
{
    Out = 0,
    In = 1,
}

/// <summary>An address that the proxy listens at and where it leads.</summary>
/// <param name="Name">For people: what lies behind it.</param>
/// <param name="Listen">A Unix path that does not exist yet, or an IP address; port 0 takes any free one.</param>
/// <param name="Target">Dialled for each connection that comes.</param>
/// <param name="IsIncoming">The disturbed node is the target; else it is who dials.</param>
public sealed record ProxyRoute(string Name, EndPoint Listen, EndPoint Target, bool IsIncoming = false);

/// <summary>What the network does to one direction for as long as it is told so. All connections of a proxy share it.</summary>
public sealed record FlowFaults
{
    public static readonly FlowFaults None = new();

    /// <summary>The narrowest network: a segment takes a second and a half.</summary>
    public const double LeastBytesPerSecond = 1_000;

    /// <summary>Every segment arrives so much later, in order.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>And up to so much later still, drawn for each segment. Bytes of one connection never overtake each other.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Bytes per second of all connections together; infinite = as fast as they come.</summary>
    public double BytesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>
    /// Nothing passes, the end of a stream included, and nobody is told. As with TCP, which sends again until it is heard, what waits
    /// flows on when the hole is gone, unless an end has given up by then; connections that are dialled meanwhile open when it is gone.
    /// </summary>
    public bool IsBlackHole { get; init; }

    /// <summary>One bit is flipped somewhere in every so many bytes of each connection; 0 = never.</summary>
    public long CorruptEvery { get; init; }

    /// <summary>One segment comes twice in every so many bytes of each connection; 0 = never.</summary>
    public long DuplicateEvery { get; init; }

    /// <summary>Two neighbouring segments change places in every so many bytes of each connection; 0 = never.</summary>
    public long ReorderEvery { get; init; }

    /// <summary>What both do at once: delays add up, the narrower rate holds, holes win; of two "every" the smaller.</summary>
    public FlowFaults And(FlowFaults other) => new()
    {
        Delay = Delay + other.Delay,
        Jitter = Jitter + other.Jitter,
        BytesPerSecond = Math.Min(BytesPerSecond, other.BytesPerSecond),
        IsBlackHole = IsBlackHole || other.IsBlackHole,
        CorruptEvery = Sooner(CorruptEvery, other.CorruptEvery),
        DuplicateEvery = Sooner(DuplicateEvery, other.DuplicateEvery),
        ReorderEvery = Sooner(ReorderEvery, other.ReorderEvery),
    };

    private static long Sooner(long a, long b) => a == 0 ? b : b == 0 ? a : Math.Min(a, b);
}

/// <summary>Damage that a middle box does to a stream; the ends' TCP does not notice it.</summary>
public enum DamageKind
{
    /// <summary>One bit is flipped.</summary>
    Corrupt = 0,

    /// <summary>A segment comes twice.</summary>
    Duplicate = 1,

    /// <summary>Two neighbouring segments change places.</summary>
    Reorder = 2,
}

/// <summary>Damage that was done.</summary>
/// <param name="Position">Bytes of the stream before it.</param>
/// <param name="Bytes">How many were damaged, came twice, or changed places.</param>
public sealed record Damage(DamageKind Kind, long Position, int Bytes)
{
    public override string ToString() => Kind switch
    {
        DamageKind.Corrupt => $"flipped a bit of byte {Position}",
        DamageKind.Duplicate => $"sent {Bytes} bytes twice at byte {Position}",
        _ => $"swapped two segments of {Bytes / 2} bytes at byte {Position}",
    };
}

/// <summary>A connection through a proxy, as it is now.</summary>
/// <param name="Number">Counts from 1 in the order in which connections came.</param>
/// <param name="Out">Bytes passed on that came from the disturbed node.</param>
/// <param name="In">Bytes passed on to it.</param>
public sealed record ProxyConnectionInfo(int Number, ProxyRoute Route, long Out, long In);

/// <summary>Something happened in a proxy: a sentence about one of its connections.</summary>
/// <param name="Damage">What was damaged, if that is what happened.</param>
public sealed record ProxyNote(int Connection, ProxyRoute Route, string Sentence, Damage? Damage = null);
