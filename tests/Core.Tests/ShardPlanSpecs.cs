using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class ShardPlanSpecs
{
    private static readonly ParameterLayout Layout = ArithmeticFixtures.Layout();

    [Fact]
    public void Shards_are_contiguous_complete_and_balanced_within_one_chunk_for_every_count()
    {
        for (var p = 1; p <= Layout.ChunkCount; p++)
        {
            var plan = ShardPlan.Deal(Layout, p);
            Assert.Equal(p, plan.Count);
            int chunk = 0, offset = 0;
            foreach (var range in plan.Ranges)
            {
                Assert.Equal(chunk, range.FirstChunk);
                Assert.Equal(offset, range.Offset);
                Assert.Equal(Layout.Chunk(range.FirstChunk).Start, range.Offset);
                Assert.Equal(range, plan[range.Shard]);
                (chunk, offset) = (range.EndChunk, range.End);
            }
            Assert.Equal(Layout.ChunkCount, chunk);
            Assert.Equal(Layout.StateFloats, offset);
            Assert.True(plan.Ranges.Max(r => r.ChunkCount) - plan.Ranges.Min(r => r.ChunkCount) <= 1);
        }
    }

    [Fact]
    public void More_shards_than_chunks_are_refused_with_the_number_that_would_do()
    {
        var mistake = Assert.Throws<UserMistakeException>(() => ShardPlan.Deal(Layout, Layout.ChunkCount + 1));
        Assert.Equal($"--ps {Layout.ChunkCount + 1} but the model has only {Layout.ChunkCount} chunks of 256 KiB; use --ps {Layout.ChunkCount} or fewer", mistake.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    [InlineData(Limits.MaxShards + 1)]
    public void Impossible_shard_counts_are_user_mistakes(int shards) =>
        Assert.Throws<UserMistakeException>(() => ShardPlan.Deal(Layout, shards));
}
