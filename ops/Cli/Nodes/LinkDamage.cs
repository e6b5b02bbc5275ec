using Cluster.Link;

namespace Cluster.Cli.Nodes;

/// <summary>Links between nodes that ended because of what came over them: the coordinator does not see those, so the node that found the damage tells.</summary>
internal static class LinkDamage
{
    public const string Kind = "link-lost";

    private static int _count;

    /// <param name="node">This one.</param>
    /// <param name="peer">Who is at the other end.</param>
    /// <returns>Null for an end that is no damage, and for damage that the peer found: it tells.</returns>
    public static string? Sentence(string node, string peer, LinkClosure closure) =>
        closure is { ByPeer: false, End: LinkEnd.BadMagic or LinkEnd.BadVersion or LinkEnd.Oversize or LinkEnd.BadChecksum or LinkEnd.Protocol }
            // Counted: the same sentence twice would be taken for one event told twice.
            ? $"{node} got damaged bytes from {peer} ({closure.Sentence}), for the {Ordinal(Interlocked.Increment(ref _count))} time: they are dropped, and the link is made anew."
            : null;

    private static string Ordinal(int n) => (n % 100 is >= 11 and <= 13 ? 0 : n % 10) switch { 1 => $"{n}st", 2 => $"{n}nd", 3 => $"{n}rd", _ => $"{n}th" };
}
