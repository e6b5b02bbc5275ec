using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting.Tests;

// What a role may not send is not read; the link ends, and both sides know why.
public abstract partial class RemotePeerContract
{
    private const string Near = "near";

    [Fact]
    public void Worker_that_sends_what_the_coordinator_alone_sends_loses_its_link_with_the_reason_on_both_sides()
    {
        AssertForbidden("worker", "ps", static ends => ends.Near.Peer.Send(new ClaimTerm(new Term(9), 5, new ShardId(0))), "near sent ClaimTerm, which a worker may not send to a ps");
        AssertForbidden("worker", "coordinator", static ends => ends.Near.Peer.Send(new RunOver(true, "x")), "near sent RunOver, which a worker may not send to a coordinator");
        AssertForbidden("supervisor", "coordinator", static ends => ends.Near.Peer.Send(new NodeLeaving("x")), "near sent NodeLeaving, which a supervisor may not send to a coordinator");
    }

    [Fact]
    public void Forbidden_tensor_is_refused_at_its_first_frame_and_nothing_is_held()
    {
        using var samples = new Samples();
        AssertForbidden("worker", "ps", ends => ends.Near.Peer.Send(samples.Make("weights"), Samples.Target), "near sent WeightsPart, which a worker may not send to a ps");
        samples.AssertAllReleased();
    }

    [Fact]
    public void Message_of_a_role_that_may_send_nothing_here_is_not_even_read()
    {
        // Bytes that are no message: reading them would end the link for another reason.
        AssertForbidden("worker", "ps", static ends => ends.Near.Link.SendControl(WireTypes.NumberOf(typeof(ApplyStep)), new byte[] { 0, 0, 0, 0, 0xC1 }), "ApplyStep");
    }

    [Fact]
    public void Allowed_messages_pass_between_the_same_two()
    {
        using var samples = new Samples();
        using (var ends = Between("worker", "ps"))
        {
            ends.Near.Peer.Send(samples.Make("node"), Samples.Target);
            var arrived = ends.Far.Next().Message;
            Samples.AssertArrived("node", arrived);
            TensorMessage.Release(arrived);
            ends.Far.Peer.Send(samples.Make("weights"), Samples.Target);
            arrived = ends.Near.Next().Message;
            Samples.AssertArrived("weights", arrived);
            TensorMessage.Release(arrived);
            Assert.Empty(ends.Far.Refusals);
            ends.End();
        }
        samples.AssertAllReleased();
    }

    private Ends Between(string near, string far) => new(kind, new End(Near, roles: PeerRoles.Of(near, far)), new End("far", roles: PeerRoles.Of(far, near)));

    private void AssertForbidden(string near, string far, Action<Ends> send, string sentence)
    {
        using var ends = Between(near, far);
        for (var i = 0; i < 3 && ends.Near.Peer.IsOpen; i++) send(ends);
        var here = ends.Far.WaitForClosed();
        Assert.Equal((LinkEnd.Dismissed, false), (here.End, here.ByPeer));
        Assert.Contains(sentence, Assert.Single(ends.Far.Refusals));
        Assert.Contains(sentence, here.Sentence);
        ends.Near.WaitForClosed();
        Assert.Equal(0, ends.Far.Waiting);
        ends.Far.AssertNothingHeld();
        Assert.Empty(ends.Near.Refusals);
    }
}
