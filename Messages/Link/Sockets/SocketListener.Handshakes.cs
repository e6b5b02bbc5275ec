using System.Buffers.Binary;
using System.Security.Cryptography;
using Cluster.Contracts;

namespace Cluster.Link;

internal sealed partial class SocketListener
{
    private void Hear(HalfOpen halfOpen)
    {
        // Under TLS more may be there than poll tells.
        do
        {
            var got = halfOpen.Channel.TryReceive(halfOpen.Handshake.Room);
            if (got == 0) return;
            if (got < 0)
            {
                var (reason, sentence) = halfOpen.Parting(_options.Self.Name);
                TurnAway(halfOpen, reason, sentence);
                return;
            }
            Step(halfOpen, halfOpen.Handshake.Received((int)got));
        }
        while (halfOpen.Channel is TlsChannel && _halfOpen.Contains(halfOpen));
    }

    private void Step(HalfOpen halfOpen, HandshakeStep step)
    {
        var peer = (halfOpen.Channel as TlsChannel)?.Peer;
        switch (step)
        {
            // Whatever somebody without a good certificate says first, this is all that it is told.
            case not HandshakeStep.More when peer?.Fault is { } fault:
                TurnAway(halfOpen, LinkRefusalReason.Certificate, fault);
                break;
            case HandshakeStep.Reply when peer?.FaultOfRole(halfOpen.Handshake.Hello!) is { } fault:
                TurnAway(halfOpen, LinkRefusalReason.Certificate, fault);
                break;
            case HandshakeStep.Reply reply:
                if (!halfOpen.Send(reply.Frame)) TurnAway(halfOpen, LinkRefusalReason.Abandoned, "the dialler does not read");
                break;
            case HandshakeStep.Refuse refuse:
                TurnAway(halfOpen, refuse.Reason, refuse.Sentence, refuse.Version);
                break;
            case HandshakeStep.Proven proven:
                Proceed(halfOpen, proven.Hello);
                break;
        }
    }

    /// <summary>A connection has proven the secret: it opens a pending link, joins one, or completes one.</summary>
    private void Proceed(HalfOpen halfOpen, HelloMessage hello)
    {
        if (hello.Session == 0)
        {
            if (hello.Lane != Lane.Bulk)
            {
                TurnAway(halfOpen, LinkRefusalReason.Garbage, "a link begins with its bulk connection");
                return;
            }
            if (_pending.Count >= Limits.LinkPending) Drop(_pending.Values.MinBy(p => p.Deadline)!, LinkRefusalReason.Crowded, "too many links are half open; try again");
            var session = 0UL;
            while (session == 0 || _pending.ContainsKey(session)) session = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
            var opened = new PendingLink(session, hello.Self, halfOpen.Deadline) { Bulk = halfOpen.Channel };
            if (Welcome(halfOpen, session)) _pending.Add(session, opened);
            return;
        }
        if (!_pending.TryGetValue(hello.Session, out var pending) || pending.Dialler.Name != hello.Self.Name || pending.Dialler.Incarnation != hello.Self.Incarnation)
        {
            TurnAway(halfOpen, LinkRefusalReason.Garbage, "no link waits for this connection; dial again");
        }
        else if (hello.Lane == Lane.Heartbeat && pending.Beat is null)
        {
            if (Welcome(halfOpen, pending.Session)) pending.Beat = halfOpen.Channel;
        }
        else if (hello.Lane == Lane.Control && pending.Beat is not null)
        {
            _pending.Remove(pending.Session);
            Complete(halfOpen, pending, hello.Self);
        }
        else
        {
            TurnAway(halfOpen, LinkRefusalReason.Garbage, "the connections of a link came out of order");
        }
    }

    /// <summary>The last connection is there: the callback decides.</summary>
    private void Complete(HalfOpen halfOpen, PendingLink pending, LinkHello dialler)
    {
        LinkVerdict verdict;
        try
        {
            verdict = _options.Admit(dialler);
            if (verdict.Greeting.Length > Limits.LinkGreetingBytes) throw new InvalidOperationException($"the greeting has {verdict.Greeting.Length} bytes, at most {Limits.LinkGreetingBytes} travel");
        }
        catch (Exception e)
        {
            verdict = LinkVerdict.Refuse($"{_options.Self.Name} failed to judge {dialler.Name}: {e.Message}");
        }
        if (verdict.Handler is not { } handler)
        {
            pending.Abandon();
            TurnAway(halfOpen, LinkRefusalReason.Verdict, verdict.Refusal ?? "refused");
            return;
        }
        _halfOpen.Remove(halfOpen);
        (halfOpen.Channel as TlsChannel)?.Trust();
        // If the welcome does not get through, the link opens and is lost at once: whoever was let in hears of its end.
        halfOpen.Send(halfOpen.Handshake.Welcome(pending.Session, verdict.Greeting.Span));
        new SocketLink(dialler, [], halfOpen.Channel, pending.Bulk!, pending.Beat!, handler, _options.Options).Start();
    }

    private bool Welcome(HalfOpen halfOpen, ulong session)
    {
        if (halfOpen.Send(halfOpen.Handshake.Welcome(session, [])))
        {
            _halfOpen.Remove(halfOpen);
            (halfOpen.Channel as TlsChannel)?.Trust();
            return true;
        }
        TurnAway(halfOpen, LinkRefusalReason.Abandoned, "the dialler does not read");
        return false;
    }

    private void TurnAway(HalfOpen halfOpen, LinkRefusalReason reason, string sentence, byte version = LinkWire.Version)
    {
        _halfOpen.Remove(halfOpen);
        if (reason != LinkRefusalReason.Abandoned) halfOpen.Send(HandshakeFrames.Refusal(sentence, version));
        halfOpen.Dispose();
        Report(reason, halfOpen.Handshake.Hello, sentence);
    }

    private void Drop(PendingLink pending, LinkRefusalReason reason, string sentence)
    {
        _pending.Remove(pending.Session);
        pending.Abandon();
        Report(reason, pending.Dialler, sentence);
    }

    private void Report(LinkRefusalReason reason, LinkHello? hello, string sentence)
    {
        LinkTelemetry.HandshakeRefused(reason);
        try
        {
            _options.Refused?.Invoke(new LinkRefusal(reason, hello, sentence));
        }
        catch (Exception)
        {
            // A listener of refusals that fails must not close the door for everybody else.
        }
    }
}
