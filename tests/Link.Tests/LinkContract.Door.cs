using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

public abstract partial class LinkContract
{
    private (ILinkListener Listener, BlockingCollection<LinkRefusal> Refusals) Listen(Func<LinkHello, LinkVerdict> admit, LinkOptions? options = null)
    {
        var refusals = new BlockingCollection<LinkRefusal>();
        return (Links.Listen(Peers.Address(kind), Acceptor(admit, options) with { Refused = refusals.Add }), refusals);
    }

    private static LinkRefusal Next(BlockingCollection<LinkRefusal> refusals) => refusals.TryTake(out var refusal, Recorder.Patience) ? refusal : throw new TimeoutException("nobody was refused");

    [Fact]
    public void Wrong_secret_is_refused_with_the_reason_on_both_sides()
    {
        var (listener, refusals) = Listen(_ => throw new InvalidOperationException("must not be asked"));
        using (listener)
        using (var near = new Recorder())
        {
            var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(listener.Address, Dialler("worker-1") with { Secret = new byte[32] }, near));
            Assert.Contains("the join secret of worker-1 differs", e.Message);
            var refusal = Next(refusals);
            Assert.Equal((LinkRefusalReason.Secret, "worker-1"), (refusal.Reason, refusal.Hello!.Name));
            Assert.EndsWith(refusal.Sentence, e.Message);
            Assert.Equal(0, near.ClosedCount);
        }
    }

    [Fact]
    public void Wrong_run_is_refused_with_the_reason_on_both_sides()
    {
        var (listener, refusals) = Listen(_ => throw new InvalidOperationException("must not be asked"));
        using (listener)
        using (var near = new Recorder())
        {
            var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(listener.Address, Dialler("worker-1") with { Self = Peers.Hello("worker-1", "run-2") }, near));
            Assert.Contains("run 'run-2', but coordinator runs 'run-1'", e.Message);
            Assert.Equal(LinkRefusalReason.RunId, Next(refusals).Reason);
        }
    }

    [Fact]
    public void Dialler_without_a_run_learns_it()
    {
        using var far = new Recorder();
        using var near = new Recorder();
        using var listener = Links.Listen(Peers.Address(kind), Acceptor(_ => LinkVerdict.Accept(far)));
        var link = Links.Connect(listener.Address, Dialler("worker-1") with { Self = Peers.Hello("worker-1", "") }, near);
        Assert.Equal(Peers.Run, link.Peer.RunId);
        link.Close(LinkEnd.Finished, "done");
        near.WaitForClosed();
        far.WaitForClosed();
    }

    [Fact]
    public void Refusal_of_the_callback_reaches_both_sides_word_by_word()
    {
        var (listener, refusals) = Listen(hello => LinkVerdict.Refuse($"the name {hello.Name} is taken by incarnation 2"));
        using (listener)
        using (var near = new Recorder())
        {
            var e = Assert.Throws<LinkRefusedException>(() => Links.Connect(listener.Address, Dialler("worker-1"), near));
            Assert.Equal($"{listener.Address} refused: the name worker-1 is taken by incarnation 2", e.Message);
            var refusal = Next(refusals);
            Assert.Equal((LinkRefusalReason.Verdict, "the name worker-1 is taken by incarnation 2"), (refusal.Reason, refusal.Sentence));
        }
    }

    [Fact]
    public void Address_that_is_taken_is_the_users_mistake_and_is_free_again_after_dispose()
    {
        var (listener, _) = Listen(_ => LinkVerdict.Refuse("nobody"));
        var address = listener.Address;
        var e = Assert.Throws<UserMistakeException>(() => Links.Listen(address, Acceptor(_ => LinkVerdict.Refuse("nobody"))));
        Assert.Contains($"cannot listen on {address}", e.Message);
        Assert.DoesNotContain('\n', e.Message);
        listener.Dispose();
        Links.Listen(address, Acceptor(_ => LinkVerdict.Refuse("nobody"))).Dispose();
    }

    [Fact]
    public void Address_where_nobody_listens_is_unreachable()
    {
        var (listener, _) = Listen(_ => LinkVerdict.Refuse("nobody"));
        listener.Dispose();
        using var near = new Recorder();
        var e = Assert.Throws<LinkUnreachableException>(() => Links.Connect(listener.Address, Dialler("worker-1"), near));
        Assert.Contains($"cannot reach {listener.Address}", e.Message);
    }

    [Fact]
    public void Open_link_outlives_its_listener()
    {
        using var peers = Connect();
        peers.Listener.Dispose();
        peers.Near.Link.SendControl(5, []);
        Assert.Equal(5, peers.Far.NextControl().Type);
    }
}
