using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Remoting.Tests;

/// <summary>Actors of two processes talk, over whatever transport.</summary>
public abstract partial class RemotePeerContract(LinkTransportKind kind)
{
    public static TheoryData<string> Names => [.. Samples.Names];

    [Fact]
    public void Control_message_reaches_the_actor_of_its_target_and_its_sender_answers()
    {
        using var ends = new Ends(kind);
        ends.Near.Peer.Ref(3).Tell(new ReportAgain(new SumKey(new Term(2), new StepId(6), 1), new ShardId(3)), ActorRefs.NoSender);
        var (target, message, sender) = ends.Far.Next();
        Assert.Equal(3, target);
        Assert.Equal(new ReportAgain(new SumKey(new Term(2), new StepId(6), 1), new ShardId(3)), message);

        sender.Tell(new PlaceHeld(new Term(2), new ReplicaId(new ShardId(3), new NodeId(1, 9))), ends.Far.Actor(3));
        (target, message, _) = ends.Near.Next();
        Assert.Equal((3, new PlaceHeld(new Term(2), new ReplicaId(new ShardId(3), new NodeId(1, 9)))), (target, message));
    }

    [Fact]
    public void Control_messages_of_one_sender_keep_their_order()
    {
        using var ends = new Ends(kind);
        for (var i = 0; i < 500; i++) ends.Near.Peer.Ref().Tell(new StepNotice(new StepId(i), true), ActorRefs.NoSender);
        for (var i = 0; i < 500; i++) Assert.Equal(new StepNotice(new StepId(i), true), ends.Far.Next().Message);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Message_with_tensors_reaches_the_actor_of_its_target_and_is_released_here(string name)
    {
        using var samples = new Samples();
        using (var ends = new Ends(kind))
        {
            ends.Near.Peer.Ref(Samples.Target).Tell(samples.Make(name), ActorRefs.NoSender);
            var (target, message, sender) = ends.Far.Next();
            Assert.Equal(Samples.Target, target);
            Samples.AssertArrived(name, message);
            TensorMessage.Release(message);
            sender.Tell(new WorkerReady(new WorkerId(4)), ActorRefs.NoSender);
            Assert.Equal((Samples.Target, new WorkerReady(new WorkerId(4))), (ends.Near.Next() is var answer ? answer.Target : 0, answer.Message));
            ends.End();
            ends.Far.AssertNothingHeld();
        }
        samples.AssertAllReleased();
    }

    [Fact]
    public void Tensor_that_is_longer_than_a_frame_comes_together_again()
    {
        using var samples = new Samples();
        using (var ends = new Ends(kind, near: new End("near", frameFloats: 7)))
        {
            foreach (var name in Samples.Names)
            {
                ends.Near.Peer.Send(samples.Make(name), Samples.Target);
                var message = ends.Far.Next().Message;
                Samples.AssertArrived(name, message);
                TensorMessage.Release(message);
            }
            ends.End();
            ends.Far.AssertNothingHeld();
        }
        samples.AssertAllReleased();
    }

    [Fact]
    public async Task Messages_of_many_threads_come_whole_with_frames_in_turn_and_use_the_same_few_buffers()
    {
        const int threads = 4, each = 100, under = 16;
        // As a protocol does it: so many messages are under way, and the next one waits for one to be released.
        using var room = new SemaphoreSlim(under);
        using var samples = new Samples();
        var message = (GradientNode)samples.Make("node");
        using (var ends = new Ends(kind, near: new End("near", frameFloats: 3)))
        {
            var senders = Enumerable.Range(0, threads).Select(worker => Task.Run(() =>
            {
                for (var step = 1; step <= each && room.Wait(End.Patience); step++) ends.Near.Peer.Send(message with { Worker = new WorkerId(worker), Step = new StepId(step), Buffer = message.Buffer.Share() }, Samples.Target);
            })).ToArray();
            var next = new long[threads];
            for (var i = 0; i < threads * each; i++)
            {
                var came = Assert.IsType<GradientNode>(ends.Far.Next().Message);
                Assert.Equal(++next[came.Worker.Index], came.Step.Value);
                Assert.True(came.Buffer.Span.SequenceEqual(message.Buffer.Span.Slice(60, 40)));
                came.Buffer.Dispose();
                room.Release();
            }
            await Task.WhenAll(senders);
            ends.End();
            ends.Far.AssertNothingHeld();
            Assert.InRange(ends.Far.Buffers.All.Single().Created, 1, under);
        }
        message.Buffer.Dispose();
        samples.AssertAllReleased();
    }

    /// <summary>What a shard remembers since the last checkpoint has no fixed length: neither a control frame nor a frame's header may bound it.</summary>
    [Fact]
    public void Report_and_state_with_more_records_than_a_frame_holds_arrive()
    {
        var record = Samples.Record with { Leaves = [.. Enumerable.Repeat(Samples.Record.Leaves[0], 8)] };
        var records = Enumerable.Range(1, 12_000).Select(i => record with { Step = new StepId(i) }).ToArray();
        var report = new TermPromised(new Term(2), 77, new ReplicaId(new ShardId(1), new NodeId(0, 1)), new ReplicaReport(new WeightsVersion(12_000), true, null, true, records));
        Assert.True(WireTypes.Write(report).Length > Limits.LinkControlBytes);
        using var samples = new Samples();
        using (var ends = new Ends(kind))
        {
            ends.Near.Peer.Ref(1).Tell(report, ActorRefs.NoSender);
            var (target, message, _) = ends.Far.Next();
            Assert.Equal((1, 77L), (target, Assert.IsType<TermPromised>(message).Claimant));
            Assert.Equal(records.Select(static r => r.Step), ((TermPromised)message).Report.Records.Select(static r => r.Step));

            ends.Near.Peer.Ref(1).Tell((SeedStandby)samples.Make("seed") with { Records = records }, ActorRefs.NoSender);
            var seed = Assert.IsType<SeedStandby>(ends.Far.Next().Message);
            Assert.Equal(12_000, seed.Records.Count);
            Samples.AssertArrived("seed", seed with { Records = [Samples.Record] });
            seed.Release();
            ends.End();
            ends.Far.AssertNothingHeld();
        }
        samples.AssertAllReleased();
    }

    [Fact]
    public void Message_that_nobody_takes_is_released()
    {
        using var samples = new Samples();
        using (var ends = new Ends(kind, far: new End("far", isDeaf: true)))
        {
            foreach (var name in Samples.Names) ends.Near.Peer.Send(samples.Make(name), Samples.Target);
            ends.End(LinkEnd.Finished);
            ends.Far.AssertNothingHeld();
            Assert.NotEmpty(ends.Far.Buffers.All);
        }
        samples.AssertAllReleased();
    }
}

[Trait("Clock", "wall")]
public sealed class InProcessRemotePeerSpecs() : RemotePeerContract(LinkTransportKind.InProcess);

[Trait("Clock", "wall")]
public sealed class UnixRemotePeerSpecs() : RemotePeerContract(LinkTransportKind.Unix);
