using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>
/// The coordinator's side of the Static engine: <see cref="MemberTable"/> with a thread, a clock and the connections around it.
/// The owner of the transport reports what happens on each connection; all methods may be called from any thread and return at once.
/// </summary>
public sealed class MemberRegistry : IMembership
{
    private readonly ViewMailbox _mailbox;
    private readonly TimeProvider _time;
    private readonly Action<string, string> _say;
    private readonly long _origin;

    // The rest belongs to the mailbox' thread.
    private readonly Dictionary<IMemberPeer, (string Name, long Incarnation)> _names = [];
    private readonly Dictionary<(string Name, long Incarnation), IMemberPeer> _peers = [];
    private MemberTable _table;
    private ITimer? _timer;
    private TimeSpan _timerAt = TimeSpan.MaxValue;

    /// <param name="term">What this coordinator asks the shards for.</param>
    /// <param name="address">Where it is reached.</param>
    /// <param name="incarnation">Of the coordinator's process.</param>
    /// <param name="known">Names of the run before a takeover, of workers and shards; kept for those who had them.</param>
    /// <param name="say">Hears a sentence per event: node, sentence. Registry's thread.</param>
    public MemberRegistry(Term term, string address, long incarnation, IEnumerable<string> known, MembershipPolicy policy, TimeProvider time, Action<string, string> say)
    {
        (_time, _say, _origin) = (time, say, time.GetTimestamp());
        var self = new Member(MemberNames.Coordinator, MemberRole.Coordinator, 0, incarnation, address, MemberState.Up);
        _table = MemberTable.Create(term, self, known, policy, TimeSpan.Zero);
        _mailbox = new ViewMailbox("membership", _table.View);
    }

    public MembershipView View => _mailbox.View;

    public IDisposable Subscribe(Action<MembershipView> listener) => _mailbox.Subscribe(listener);

    /// <summary>A process that has proven the join secret asks to be let in; it is answered through <paramref name="peer"/>, at once or after a hold-off.</summary>
    public void Hello(IMemberPeer peer, MemberHello hello) => _mailbox.Post(() =>
    {
        // A hello without a name may come twice: its welcome was lost.
        if (_names.TryGetValue(peer, out var who) && hello.Name is null && hello.Incarnation == who.Incarnation) hello = hello with { Name = who.Name };
        if (who.Name is not null && (hello.Name != who.Name || hello.Incarnation != who.Incarnation))
            peer.Refuse(new MemberRefusal($"this connection speaks for {who.Name} (incarnation {who.Incarnation}) already; open another one", TryAgain: false));
        else
            Take(_table.Hello(hello, Now), peer);
    });

    /// <summary>The connection has ended.</summary>
    /// <param name="cause">A sentence's end: <c>connection reset</c>.</param>
    public void Disconnected(IMemberPeer peer, string cause) => _mailbox.Post(() =>
    {
        if (!_names.TryGetValue(peer, out var who)) return;
        Forget(peer);

        // The process may have come back over another connection before this one's end was noticed.
        if (!_peers.ContainsKey(who)) Take(_table.Disconnected(who.Name, who.Incarnation, cause, Now), peer: null);
    });

    /// <summary>Nothing was heard for longer than the lease.</summary>
    public void Silent(IMemberPeer peer, TimeSpan silence) => About(peer, (name, incarnation) => _table.Silent(name, incarnation, silence, Now));

    /// <summary>A silent process is heard again.</summary>
    public void HeardAgain(IMemberPeer peer) => About(peer, (name, incarnation) => _table.HeardAgain(name, incarnation, Now));

    /// <summary>The process leaves as planned.</summary>
    public void Leaving(IMemberPeer peer) => About(peer, (name, incarnation) => _table.Leaving(name, incarnation, Now));

    /// <summary>Ends the thread; tells nobody: peers see their connections end.</summary>
    public void Dispose()
    {
        _mailbox.Post(() => _timer?.Dispose());
        _mailbox.Dispose();
    }

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    private void About(IMemberPeer peer, Func<string, long, (MemberTable, ImmutableArray<MembershipEffect>)> notice) => _mailbox.Post(() =>
    {
        if (_names.TryGetValue(peer, out var who)) Take(notice(who.Name, who.Incarnation), peer: null);
    });

    private void Take((MemberTable Next, ImmutableArray<MembershipEffect> Effects) decision, IMemberPeer? peer)
    {
        _table = decision.Next;
        foreach (var effect in decision.Effects) Perform(effect, peer);
        Wind();
    }

    private void Perform(MembershipEffect effect, IMemberPeer? peer)
    {
        switch (effect)
        {
            case MembershipEffect.Named named:
                // An older connection of the same process is left to end by itself.
                if (_peers.TryGetValue((named.Name, named.Incarnation), out var older)) _names.Remove(older);
                _names[peer!] = (named.Name, named.Incarnation);
                _peers[(named.Name, named.Incarnation)] = peer!;
                break;
            case MembershipEffect.Admit admit when _peers.TryGetValue((admit.Name, admit.Incarnation), out var admitted):
                admitted.Welcome(new MemberWelcome(admit.Name, _table.View));
                break;
            case MembershipEffect.Refuse refuse:
                peer!.Refuse(new MemberRefusal(refuse.Sentence, refuse.TryAgain));
                break;
            case MembershipEffect.Void gone when _peers.TryGetValue((gone.Name, gone.Incarnation), out var voided):
                // It stays known until it disconnects: what wakes up after this is told again.
                voided.Refuse(new MemberRefusal(gone.Sentence, TryAgain: false));
                break;
            case MembershipEffect.Show show:
                _mailbox.Show(show.View);
                foreach (var member in show.View.Members)
                    if (_peers.TryGetValue((member.Name, member.Incarnation), out var inside)) inside.Show(show.View);
                break;
            case MembershipEffect.Say say:
                _say(say.Name, say.Sentence);
                break;
        }
    }

    private void Forget(IMemberPeer peer)
    {
        if (_names.Remove(peer, out var who) && _peers.TryGetValue(who, out var present) && present == peer) _peers.Remove(who);
    }

    private void Wind()
    {
        var next = _table.NextDeadline;
        if (next == _timerAt) return;
        _timerAt = next;
        _timer?.Dispose();
        if (next == TimeSpan.MaxValue) return;
        var wait = next - Now;
        _timer = _time.CreateTimer(_ => _mailbox.Post(Ring), null, wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Ring()
    {
        // A timer may ring a little early by the other clock: then it is wound again.
        _timerAt = TimeSpan.MaxValue;
        Take(_table.Tick(Now), peer: null);
    }
}
