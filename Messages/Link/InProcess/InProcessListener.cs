using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>Listeners of this process by name. The rules of the door are those of the sockets.</summary>
internal sealed class InProcessListener : ILinkListener
{
    private static readonly ConcurrentDictionary<string, InProcessListener> Listeners = new(StringComparer.Ordinal);

    private readonly LinkListenerOptions _options;

    private InProcessListener(LinkAddress address, LinkListenerOptions options) => (Address, _options) = (address, options);

    public LinkAddress Address { get; }

    /// <summary>Always 0: a handshake within a process is one call.</summary>
    public int HalfOpen => 0;

    public static InProcessListener Open(LinkAddress address, LinkListenerOptions options)
    {
        var listener = new InProcessListener(address, options);
        return Listeners.TryAdd(address.Name, listener) ? listener : throw new UserMistakeException($"cannot listen on {address}: this process listens there already; choose another name");
    }

    public static ILink Connect(LinkAddress address, LinkDiallerOptions options, ILinkHandler handler)
    {
        if (!Listeners.TryGetValue(address.Name, out var listener)) throw new LinkUnreachableException($"cannot reach {address}: nobody listens there");
        return listener.Admit(options, handler);
    }

    private InProcessLink Admit(LinkDiallerOptions dialler, ILinkHandler handler)
    {
        if (!CryptographicOperations.FixedTimeEquals(dialler.Secret.Span, _options.Secret.Span))
            throw Refuse(LinkRefusalReason.Secret, dialler.Self, $"the join secret of {dialler.Self.Name} differs from that of {_options.Self.Name}: give both the same one");
        if (AcceptorHandshake.RunMismatch(_options.Self, dialler.Self) is { } mismatch) throw Refuse(LinkRefusalReason.RunId, dialler.Self, mismatch);
        LinkVerdict verdict;
        lock (Listeners) verdict = _options.Admit(dialler.Self);
        if (verdict.Handler is null) throw Refuse(LinkRefusalReason.Verdict, dialler.Self, verdict.Refusal ?? "refused");
        var (near, far) = InProcessLink.Pair(
            (_options.Self with { Note = default }, verdict.Greeting, handler, dialler.Options),
            (dialler.Self, default, verdict.Handler, _options.Options));
        far.Start();
        near.Start();
        return near;
    }

    private LinkRefusedException Refuse(LinkRefusalReason reason, LinkHello hello, string sentence)
    {
        LinkTelemetry.HandshakeRefused(reason);
        _options.Refused?.Invoke(new LinkRefusal(reason, hello, sentence));
        return new LinkRefusedException($"{Address} refused: {sentence}");
    }

    public void Dispose() => Listeners.TryRemove(new KeyValuePair<string, InProcessListener>(Address.Name, this));
}
