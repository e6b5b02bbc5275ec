using System.Runtime.CompilerServices;
using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class NativeBufferSpecs
{
    [Fact]
    public void Memory_is_zeroed_and_aligned()
    {
        for (var length = 1; length < 200; length += 33)
        {
            using var buffer = NativeBuffer.Allocate(length);
            Assert.Equal(length, buffer.Span.Length);
            Assert.All(buffer.Span.ToArray(), x => Assert.Equal(0, BitConverter.SingleToInt32Bits(x)));
            unsafe
            {
                Assert.Equal(0, (nint)Unsafe.AsPointer(ref buffer.Span[0]) % Limits.TensorAlignmentBytes);
            }
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => NativeBuffer.Allocate(0));
    }

    [Fact]
    public void Buffer_lives_until_its_last_reference_is_released()
    {
        var buffer = NativeBuffer.Allocate(4);
        Assert.Same(buffer, buffer.Share());
        buffer.Dispose();
        buffer.Span[3] = 5;
        Assert.Equal(5, buffer.Span[3]);
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
    }

    [Fact]
    public void Releasing_once_too_often_and_sharing_after_the_last_release_are_bugs()
    {
        var released = NativeBuffer.Allocate(4);
        released.Dispose();
        Assert.Throws<ObjectDisposedException>(released.Dispose);
        var shared = NativeBuffer.Allocate(4);
        shared.Dispose();
        Assert.Throws<ObjectDisposedException>(shared.Share);
    }

    [Fact]
    public void Pool_hands_a_returned_buffer_out_again_with_its_content()
    {
        using var pool = new NativeBufferPool(8);
        var first = pool.Rent();
        var second = pool.Rent();
        Assert.NotSame(first, second);
        first.Span[0] = 7;
        first.Share();
        first.Dispose();
        var third = pool.Rent();
        Assert.NotSame(first, third); // one reference to the first is left: it stays out
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.Span.Length);
        var again = pool.Rent();
        Assert.Same(first, again);
        Assert.Equal(7, again.Span[0]);
        Assert.Equal(3, pool.Created);
        again.Dispose();
        second.Dispose();
        third.Dispose();
    }

    [Fact]
    public void Retired_buffer_is_freed_with_its_last_reference_and_never_lent_again()
    {
        using var pool = new NativeBufferPool(8);
        var buffer = pool.Rent();
        buffer.Span[0] = 7;
        buffer.Share();
        buffer.Retire();
        buffer.Dispose();
        Assert.Equal((7, 1), (buffer.Span[0], pool.Created));
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        Assert.Equal(0, pool.Created);
        using var next = pool.Rent();
        Assert.NotSame(buffer, next);
        Assert.Equal(0, next.Span[0]);
    }

    private sealed unsafe class CountedBlock(float* start) : MemoryBlock(start)
    {
        public int Freed { get; private set; }

        protected override void Free() => Freed++;
    }

    [Fact]
    public unsafe void Buffer_over_memory_of_others_gives_its_block_back_once()
    {
        var memory = stackalloc float[4];
        memory[2] = 5;
        var block = new CountedBlock(memory + 1);
        var buffer = NativeBuffer.Over(block, 3);
        Assert.Equal((3, 5), (buffer.Length, buffer.Span[1]));
        buffer.Share();
        buffer.Dispose();
        Assert.Equal(0, block.Freed);
        buffer.Dispose();
        Assert.Equal(1, block.Freed);
    }

    [Fact]
    public void Closed_pool_lends_nothing_and_frees_what_comes_back()
    {
        var pool = new NativeBufferPool(8);
        var buffer = pool.Rent();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(pool.Rent);
        buffer.Span[0] = 1;
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        pool.Dispose();
    }

    [Fact]
    public void Counting_holds_under_contention()
    {
        using var pool = new NativeBufferPool(16);
        Parallel.For(0, 2000, i =>
        {
            var buffer = pool.Rent();
            buffer.Share();
            buffer.Span[0] = i;
            buffer.Dispose();
            Assert.Equal(i, buffer.Span[0]);
            buffer.Dispose();
        });
        Assert.InRange(pool.Created, 1, 2000);
        var lent = Enumerable.Range(0, pool.Created).Select(_ => pool.Rent()).ToArray();
        Assert.Equal(lent.Length, lent.Distinct().Count());
        Assert.Equal(lent.Length, pool.Created);
        foreach (var buffer in lent) buffer.Dispose();
    }
}
