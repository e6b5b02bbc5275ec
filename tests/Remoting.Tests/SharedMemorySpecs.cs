using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting.Tests;

/// <summary>Messages whose tensors are taken where they lie, in memory of the sending process.</summary>
[Trait("Clock", "wall")]
public sealed class SharedMemorySpecs
{
    private const int Floats = 4 * Limits.SharedBufferFloats;

    private static Ends Connect()
    {
        var ends = new Ends(LinkTransportKind.Unix);
        ends.Far.Peer.MaxFloats = Floats;
        ends.Near.Peer.Ranges = static _ => new RangeOnWire(Floats / 2, Floats / 2, 0);
        return ends;
    }

    private static GradientNode Node(NativeBuffer buffer, long step) => new(new Term(1), new StepId(step), 1, TreeNode.Leaf(0), 1, new WorkerId(0), 0, buffer, default);

    /// <summary>A sender with one buffer gets it again once the receiver has released the message; the receiver rents none.</summary>
    [Fact]
    public void Tensor_is_taken_where_it_lies_and_goes_back_when_its_message_is_released()
    {
        using var pool = new NativeBufferPool(Floats, SharedMemory.Instance);
        using var ends = Connect();
        var copied = 0;
        for (var step = 1; step <= 30; step++)
        {
            var buffer = pool.Rent();
            buffer.Span.Fill(step);
            ends.Near.Peer.Ref().Tell(Node(buffer, step), ActorRefs.NoSender);
            var node = (GradientNode)ends.Far.Next().Message;
            Assert.Equal((new StepId(step), Floats / 2, Floats / 2), (node.Step, node.Offset, node.Buffer.Length));
            Assert.Equal(-1, node.Buffer.Span.IndexOfAnyExcept(step));
            // What the far end has room for of its own came through the socket.
            if (ends.Far.Buffers.All.Any()) copied = Math.Max(copied, ends.Far.Buffers.All.Sum(static p => p.Created));
            node.Buffer.Dispose();
        }
        // At most one was copied at a time, before its segment was mapped.
        Assert.InRange(copied, 1, 1);
        Assert.InRange(pool.Created, 1, 3);
        ends.End();
        ends.Far.AssertNothingHeld();
    }

    [Fact]
    public void Message_outlives_its_link_and_its_sender_writes_elsewhere()
    {
        using var pool = new NativeBufferPool(Floats, SharedMemory.Instance);
        using var ends = Connect();
        GradientNode? held = null;
        for (var step = 1; step <= 20; step++)
        {
            var buffer = pool.Rent();
            buffer.Span.Fill(step);
            ends.Near.Peer.Ref().Tell(Node(buffer, step), ActorRefs.NoSender);
            held?.Buffer.Dispose();
            held = (GradientNode)ends.Far.Next().Message;
        }
        ends.End();
        for (var i = 0; i < 5; i++)
        {
            using var next = pool.Rent();
            next.Span.Fill(-1);
        }
        Assert.Equal(-1, held!.Buffer.Span.IndexOfAnyExcept(20));
        held.Buffer.Dispose();
        ends.Far.AssertNothingHeld();
    }
}
