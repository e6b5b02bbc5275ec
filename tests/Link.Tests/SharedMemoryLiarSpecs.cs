using System.Buffers.Binary;
using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Link.Tests;

/// <summary>What a peer says of its memory is not believed: nothing is touched before the descriptor has been found to be what was announced.</summary>
[Trait("Clock", "wall")]
public sealed class SharedMemoryLiarSpecs
{
    private const int Page = 4096;
    private static readonly byte[] Tag = [.. BitConverter.GetBytes(77UL), .. Enumerable.Range(0, SharedMemory.TagBytes - sizeof(ulong)).Select(static i => (byte)i)];

    private static SafeFileHandle File(long bytes, int seals, byte[]? tag = null)
    {
        var file = new SafeFileHandle(MemoryCalls.Create("liar", MemoryCalls.AllowSealing), ownsHandle: true);
        Assert.Equal(0, MemoryCalls.Truncate(file, bytes));
        RandomAccess.Write(file, tag ?? Tag, bytes - SharedMemory.TagBytes);
        Assert.Equal(0, MemoryCalls.Control(file, MemoryCalls.AddSeals, seals));
        return file;
    }

    private static byte[] Announcement(long bytes) => RawPeer.FrameBytes(Lane.Bulk, FrameTypes.Segment, [.. BitConverter.GetBytes(bytes), .. Tag], []);

    private static byte[] Lent(long first, int floats, ulong segment = 77, ushort type = 1) =>
        RawPeer.FrameBytes(Lane.Bulk, FrameTypes.Lent, SharedFrames.Lent(new LentHead(segment, 1, first, floats, type), "h"u8), []);

    private static RawPeer Connect(bool announced)
    {
        var peer = RawPeer.Connect(LinkTransportKind.Unix);
        if (!announced) return peer;
        using var file = File(Page, MemoryCalls.Seals);
        peer.Write(Lane.Bulk, Announcement(Page), file);
        return peer;
    }

    private static void AssertEnds(RawPeer peer, LinkEnd end, string sentence)
    {
        var closure = peer.Far.WaitForClosed();
        Assert.Equal((end, false), (closure.End, closure.ByPeer));
        Assert.Contains(sentence, closure.Sentence);
        Assert.Equal(0, peer.Far.WaitingBulk);
        peer.Far.AssertNothingLeaked();
    }

    [Fact]
    public void Honest_announcement_is_answered_and_what_is_lent_arrives()
    {
        using var peer = Connect(announced: true);
        Assert.Equal((FrameTypes.Mapped, 77UL), peer.NextNumber());
        peer.Write(Lane.Bulk, Lent(0, 16));
        using (var arrival = peer.Far.NextBulk()) Assert.Equal(new float[16], arrival.Values);
        Assert.Equal((FrameTypes.Returned, 1UL), peer.NextNumber());
    }

    public static TheoryData<string, long, int, int> Files => new()
    {
        { "a file that can shrink", Page, Page, MemoryCalls.SealGrow },
        { "a file that can grow", Page, Page, MemoryCalls.SealShrink },
        { "a shorter file", 2 * Page, Page, MemoryCalls.Seals },
        { "a longer file", Page, 2 * Page, MemoryCalls.Seals },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Descriptor_of_another_kind_is_not_mapped_and_nothing_can_be_lent_in_it(string what, long announced, int actual, int seals)
    {
        Assert.NotEmpty(what);
        AssertIsNotMapped(File(actual, seals), announced);
    }

    [Fact]
    public void Descriptor_with_the_tag_of_another_segment_is_not_mapped() =>
        AssertIsNotMapped(File(Page, MemoryCalls.Seals, [.. BitConverter.GetBytes(78UL), .. Tag[8..]]), Page);

    private void AssertIsNotMapped(SafeFileHandle file, long announced)
    {
        using var peer = Connect(announced: false);
        using (file) peer.Write(Lane.Bulk, Announcement(announced), file);
        peer.Write(Lane.Bulk, Lent(0, 16));
        AssertEnds(peer, LinkEnd.Protocol, "which is not mapped");
    }

    [Fact]
    public void Descriptor_that_comes_after_a_strange_one_is_found()
    {
        using var peer = Connect(announced: false);
        using (var strange = File(Page, 0)) peer.Write(Lane.Bulk, RawPeer.FrameBytes(Lane.Bulk, 4, [1], [1f]), strange);
        using (var file = File(Page, MemoryCalls.Seals)) peer.Write(Lane.Bulk, Announcement(Page), file);
        Assert.Equal((FrameTypes.Mapped, 77UL), peer.NextNumber());
    }

    [Fact]
    public void Pipe_in_place_of_a_file_is_not_mapped()
    {
        using var peer = Connect(announced: false);
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        peer.Write(Lane.Bulk, Announcement(Page), pipe.SafePipeHandle);
        peer.Write(Lane.Bulk, Lent(0, 16));
        AssertEnds(peer, LinkEnd.Protocol, "which is not mapped");
    }

    [Theory]
    [InlineData(0, 1017)]       // the tag is not part of it
    [InlineData(1016, 1)]
    [InlineData(-1, 4)]
    [InlineData(0, 0)]
    [InlineData(0, -5)]
    [InlineData(long.MaxValue, 4)]
    [InlineData(long.MinValue, int.MaxValue)]
    [InlineData(4, int.MaxValue)]
    public void Range_outside_the_segment_is_refused(long first, int floats)
    {
        using var peer = Connect(announced: true);
        peer.Write(Lane.Bulk, Lent(first, floats));
        AssertEnds(peer, LinkEnd.Oversize, "of a shared segment that has 1016");
    }

    [Fact]
    public void Announcement_beyond_the_bounds_is_refused()
    {
        using (var peer = Connect(announced: false))
        {
            peer.Write(Lane.Bulk, Announcement(Limits.LinkMappedBytes + 1));
            AssertEnds(peer, LinkEnd.Oversize, "at most 256");
        }
        using (var peer = Connect(announced: true))
        {
            peer.Write(Lane.Bulk, Announcement(Page));
            AssertEnds(peer, LinkEnd.Protocol, "announced twice");
        }
        using (var peer = Connect(announced: false))
        {
            peer.Write(Lane.Bulk, Announcement(-1));
            AssertEnds(peer, LinkEnd.Protocol, "cannot be read");
        }
    }

    [Fact]
    public void Frames_that_make_no_sense_end_the_link()
    {
        (byte[] Frame, string Sentence)[] frames =
        [
            (RawPeer.FrameBytes(Lane.Bulk, FrameTypes.Segment, new byte[3], []), "cannot be read"),
            (RawPeer.FrameBytes(Lane.Bulk, FrameTypes.Forget, new byte[7], []), "cannot be read"),
            (RawPeer.FrameBytes(Lane.Bulk, FrameTypes.Lent, new byte[SharedFrames.LentBytes - 1], []), "cannot be read"),
            (Lent(0, 4, type: Limits.LinkReservedTypes), "cannot be read"),
            (RawPeer.FrameBytes(Lane.Bulk, FrameTypes.Forget, new byte[8], [1f]), "came with 1 floats"),
            (Lent(0, 4, segment: 5), "which is not mapped"),
        ];
        foreach (var (frame, sentence) in frames)
        {
            using var peer = Connect(announced: true);
            peer.Write(Lane.Bulk, frame);
            AssertEnds(peer, LinkEnd.Protocol, sentence);
        }
        using (var peer = Connect(announced: true))
        {
            var damaged = Lent(0, 4);
            damaged[^6] ^= 1;
            peer.Write(Lane.Bulk, damaged);
            AssertEnds(peer, LinkEnd.BadChecksum, "differs");
        }
    }

    [Fact]
    public void Forgotten_segment_can_lend_nothing()
    {
        using var peer = Connect(announced: true);
        peer.Write(Lane.Bulk, RawPeer.FrameBytes(Lane.Bulk, FrameTypes.Forget, SharedFrames.Number(77), []));
        peer.Write(Lane.Bulk, Lent(0, 4));
        AssertEnds(peer, LinkEnd.Protocol, "which is not mapped");
    }

    [Fact]
    public void Return_of_what_was_never_lent_ends_the_link()
    {
        foreach (var body in new[] { SharedFrames.Number(9), [1, 2] })
        {
            using var peer = Connect(announced: false);
            peer.Write(Lane.Control, RawPeer.FrameBytes(Lane.Control, FrameTypes.Returned, body, []));
            AssertEnds(peer, LinkEnd.Protocol, "means nothing here");
        }
    }

    [Fact]
    public void Over_tcp_there_is_no_shared_memory()
    {
        foreach (var frame in new[] { Announcement(Page), Lent(0, 4) })
        {
            using var peer = RawPeer.Connect(LinkTransportKind.Tcp);
            peer.Write(Lane.Bulk, frame);
            AssertEnds(peer, LinkEnd.Protocol, "unknown type");
        }
        using (var peer = RawPeer.Connect(LinkTransportKind.Tcp))
        {
            peer.Write(Lane.Control, RawPeer.FrameBytes(Lane.Control, FrameTypes.Mapped, SharedFrames.Number(1), []));
            AssertEnds(peer, LinkEnd.Protocol, "means nothing here");
        }
    }
}

/// <summary>Counts mappings of the whole process, so nothing else runs beside it.</summary>
[Collection(Alone.Name)]
public sealed class SharedMemoryLeakSpecs
{
    private static int Mappings() => System.IO.File.ReadLines("/proc/self/maps").Count(static l => l.Contains("memfd:cluster-tensor", StringComparison.Ordinal));

    private static int Descriptors() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(static f => new FileInfo(f).LinkTarget?.Contains("cluster-tensor", StringComparison.Ordinal) == true);

    [Fact]
    public void Memory_that_the_sender_frees_is_let_go_by_the_receiver_and_nothing_is_left_after_the_end()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (mappings, segments, descriptors) = (Mappings(), SharedMemory.Count, Descriptors());
        using (var far = new Recorder { TakeReferences = true })
        using (var peers = Peers.Connect(LinkTransportKind.Unix, far: far))
        {
            var lender = ((SocketLink)peers.Near.Link).Lender;
            for (var i = 0; i < 300; i++)
            {
                using var buffer = NativeBuffer.Allocate(Limits.SharedBufferFloats + i, SharedMemory.Instance);
                var before = lender.TotalLent;
                do
                {
                    peers.Near.Link.SendBulk(1, [], buffer, 0, buffer.Length);
                    far.NextBulk().Dispose();
                }
                while (lender.TotalLent == before);
                Assert.True(SpinWait.SpinUntil(() => lender.LentCount == 0, Recorder.Patience));
                // One that is mapped by both, and one that is freed here and not yet forgotten there.
                Assert.InRange(Mappings() - mappings, 0, 4);
                Assert.InRange(Descriptors() - descriptors, 0, 4);
            }
        }
        Assert.Equal((mappings, segments), (Mappings(), SharedMemory.Count));
        Assert.Equal(descriptors, Descriptors());
    }

    [Fact]
    public void Buffers_beyond_the_bound_get_private_memory()
    {
        // What earlier specs let go of without a release is not to come back in the middle of this one.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = SharedMemory.Count;
        var buffers = Enumerable.Range(0, Limits.SharedSegments + 3).Select(static _ => NativeBuffer.Allocate(Limits.SharedBufferFloats, SharedMemory.Instance)).ToArray();
        Assert.Equal(Limits.SharedSegments - before, buffers.Count(static b => b.Block is SharedBlock));
        Assert.IsNotType<SharedBlock>(buffers[^1].Block);
        Assert.All(buffers, static b => Assert.Equal(-1, b.Span.IndexOfAnyExcept(0f)));
        foreach (var buffer in buffers) buffer.Dispose();
        Assert.Equal(before, SharedMemory.Count);
        using var small = NativeBuffer.Allocate(Limits.SharedBufferFloats - 1, SharedMemory.Instance);
        Assert.IsNotType<SharedBlock>(small.Block);
    }
}
