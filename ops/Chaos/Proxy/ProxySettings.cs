using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Chaos.Proxy;

/// <summary>What a person's order asks of a proxy at once, beside what it changes for good.</summary>
public abstract record ProxyAct
{
    public sealed record Cut : ProxyAct;

    /// <summary>Damages the next read of at least so many bytes.</summary>
    public sealed record Damage(DamageKind Kind, int LeastBytes) : ProxyAct;

    public sealed record List : ProxyAct;
}

/// <summary>How a proxy disturbs both directions, changed by lines that a person writes. Pure.</summary>
public sealed record ProxySettings(FlowFaults Out, FlowFaults In)
{
    public static readonly ProxySettings None = new(FlowFaults.None, FlowFaults.None);

    /// <summary>An order: its word, its numbers, and what it does.</summary>
    public static readonly IReadOnlyList<(string Word, string Numbers, string Meaning)> Orders =
    [
        ("delay", "MS", "everything arrives so much later"),
        ("jitter", "MS", "and up to so much later still, drawn for each segment"),
        ("rate", "MB/S", "megabytes per second and direction; 0 = no limit"),
        ("black-hole", "", "nothing passes and nobody is told; what waits flows on after 'heal'"),
        ("black-hole-out", "", "nothing that the dialling side sends arrives"),
        ("black-hole-in", "", "nothing reaches the dialling side"),
        ("corrupt-every", "BYTES", "one bit flips in every so many bytes of each connection; 0 = never"),
        ("duplicate-every", "BYTES", "one segment of 1448 bytes comes twice in every so many bytes; 0 = never"),
        ("reorder-every", "BYTES", "two neighbouring segments change places in every so many bytes; 0 = never"),
        ("corrupt", "[BYTES]", "once, in the next read of at least so many bytes (8192)"),
        ("duplicate", "[BYTES]", "once, in the next read of at least so many bytes (8192)"),
        ("reorder", "[BYTES]", "once, in the next read of at least so many bytes (8192)"),
        ("cut", "", "resets all connections; new ones work"),
        ("heal", "", "ends everything that lasts"),
        ("connections", "", "lists the connections and what has passed"),
    ];

    /// <summary>Takes one order.</summary>
    /// <returns>The settings from now on, and what to do at once.</returns>
    /// <exception cref="UserMistakeException">One line: what is wrong with the order.</exception>
    public (ProxySettings Next, ProxyAct? Act) Obey(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0) return (this, null);
        var order = Orders.FirstOrDefault(o => o.Word == words[0]);
        if (order.Word is null) throw new UserMistakeException($"'{words[0]}' is no order{NearestName.Hint(words[0], [.. Orders.Select(static o => o.Word)])} Known: {string.Join(", ", Orders.Select(static o => o.Word))}");
        var isOptional = order.Numbers.StartsWith('[');
        var most = order.Numbers.Length == 0 ? 0 : 1;
        if (words.Length - 1 > most || words.Length - 1 < (isOptional ? 0 : most)) throw new UserMistakeException($"write '{order.Word}{(most == 0 ? "" : " " + order.Numbers)}': {order.Meaning}");
        double Number(double least, double highest) =>
            double.TryParse(words[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= highest
                ? value
                : throw new UserMistakeException($"{order.Word} {words[1]}: give a number from {least} to {highest:0}");
        long Bytes(DamageKind kind) => Number(0, 1e15) is var every && (every == 0 || every >= StreamMangler.BytesOf(kind))
            ? (long)every
            : throw new UserMistakeException($"{order.Word} {words[1]}: give 0 or at least {StreamMangler.BytesOf(kind)} bytes");
        TimeSpan Time() => TimeSpan.FromMilliseconds(Number(0, Limits.MaxProxyDelayMilliseconds));
        (ProxySettings, ProxyAct?) Once(DamageKind kind) =>
            (this, new ProxyAct.Damage(kind, words.Length == 1 ? Limits.ProxyLargeSegmentBytes : (int)Number(StreamMangler.BytesOf(kind), Limits.ProxyReadBytes)));

        switch (order.Word)
        {
            case "delay": var delay = Time(); return (Both(f => f with { Delay = delay }), null);
            case "jitter": var jitter = Time(); return (Both(f => f with { Jitter = jitter }), null);
            case "rate":
                var rate = Number(0, 100_000) * 1e6;
                if (rate > 0 && rate < FlowFaults.LeastBytesPerSecond) throw new UserMistakeException($"rate {words[1]}: give 0 for no limit, or at least {FlowFaults.LeastBytesPerSecond / 1e6} MB/s");
                return (Both(f => f with { BytesPerSecond = rate == 0 ? double.PositiveInfinity : rate }), null);
            case "black-hole": return (Both(static f => f with { IsBlackHole = true }), null);
            case "black-hole-out": return (this with { Out = Out with { IsBlackHole = true } }, null);
            case "black-hole-in": return (this with { In = In with { IsBlackHole = true } }, null);
            case "corrupt-every": var flips = Bytes(DamageKind.Corrupt); return (Both(f => f with { CorruptEvery = flips }), null);
            case "duplicate-every": var twice = Bytes(DamageKind.Duplicate); return (Both(f => f with { DuplicateEvery = twice }), null);
            case "reorder-every": var swaps = Bytes(DamageKind.Reorder); return (Both(f => f with { ReorderEvery = swaps }), null);
            case "corrupt": return Once(DamageKind.Corrupt);
            case "duplicate": return Once(DamageKind.Duplicate);
            case "reorder": return Once(DamageKind.Reorder);
            case "cut": return (this, new ProxyAct.Cut());
            case "heal": return (None, null);
            default: return (this, new ProxyAct.List());
        }
    }

    private ProxySettings Both(Func<FlowFaults, FlowFaults> change) => new(change(Out), change(In));

    /// <summary>For a person: <c>undisturbed</c>, <c>delay 50 ms, out: nothing passes</c>.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        if (Out.Delay > TimeSpan.Zero) parts.Add($"delay {Out.Delay.TotalMilliseconds:0.###} ms");
        if (Out.Jitter > TimeSpan.Zero) parts.Add($"jitter {Out.Jitter.TotalMilliseconds:0.###} ms");
        if (!double.IsInfinity(Out.BytesPerSecond)) parts.Add($"rate {Out.BytesPerSecond / 1e6:0.######} MB/s");
        if (Out.CorruptEvery > 0) parts.Add($"a flipped bit every {Out.CorruptEvery} bytes");
        if (Out.DuplicateEvery > 0) parts.Add($"a doubled segment every {Out.DuplicateEvery} bytes");
        if (Out.ReorderEvery > 0) parts.Add($"swapped segments every {Out.ReorderEvery} bytes");
        if (Out.IsBlackHole || In.IsBlackHole) parts.Add((Out.IsBlackHole, In.IsBlackHole) switch { (true, true) => "nothing passes", (true, _) => "nothing passes out", _ => "nothing passes in" });
        return parts.Count == 0 ? "undisturbed" : string.Join(", ", parts);
    }
}
