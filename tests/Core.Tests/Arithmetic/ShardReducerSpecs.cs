using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class ShardReducerSpecs
{
    private static readonly ParameterLayout Layout = ArithmeticFixtures.Layout(), Rows = ArithmeticFixtures.Layout(wholeRows: true);

    /// <summary>The value of a node over the whole state, by the definition of the tree.</summary>
    private static float[] Value(TreeNode node, int leafCount)
    {
        if (node.IsLeaf) return ArithmeticFixtures.Floats(Layout.StateFloats, (ulong)(50 + node.Index));
        var left = Value(node.Left, leafCount);
        if (!node.Right.Exists(leafCount)) return left;
        var right = Value(node.Right, leafCount);
        for (var i = 0; i < left.Length; i++) left[i] += right[i];
        return left;
    }

    private static NodeMemory[] At(int start, params NativeBuffer[] buffers) => [.. buffers.Select(b => new NodeMemory(b, start))];

    [Theory]
    [InlineData(1, "0")]
    [InlineData(2, "1 1")]
    [InlineData(3, "1 1 1")]
    [InlineData(3, "2 1")]
    [InlineData(5, "1 3 1")]
    [InlineData(8, "4 4")]
    [InlineData(7, "3 3 1")]
    [InlineData(8, "1 1 1 1 1 1 1 1")]
    public void Sums_and_norms_have_the_reference_bits_for_any_cut_into_workers_and_shards(int leafCount, string runs)
    {
        var expected = Value(TreeNode.Root(leafCount), leafCount);
        var tree = new ReductionTree(leafCount);
        var first = 0;
        foreach (var count in runs.Split(' ').Select(int.Parse))
        {
            foreach (var node in TreeNode.Cover(new LeafRange(first, Math.Max(1, count)), leafCount)) tree.Offer(node);
            first += count;
        }
        var program = tree.Program();
        var buffers = program.Nodes.Select(n => ArithmeticFixtures.Native(Value(n, leafCount))).ToArray();
        foreach (var (layout, shards) in new[] { (Layout, 1), (Layout, 2), (Layout, Layout.ChunkCount), (Rows, 1), (Rows, Rows.ChunkCount) })
        {
            var actual = new float[layout.StateFloats];
            var norms = new List<double>();
            foreach (var range in ShardPlan.Deal(layout, shards).Ranges)
            {
                using var reducer = new ShardReducer(range, layout);
                var squares = new double[reducer.ParameterChunkCount];
                reducer.Reduce(program, At(range.Offset, [.. buffers]), actual.AsSpan(range.Offset, range.Length), squares);
                norms.AddRange(squares);
            }
            ArithmeticFixtures.SameBits(expected, actual, $"{shards} shards");
            Assert.Equal(layout.ParameterChunkCount, norms.Count);
            for (var chunk = 0; chunk < norms.Count; chunk++)
            {
                var (start, length) = layout.Chunk(chunk);
                Assert.Equal(ChunkNorm.SumOfSquares(expected.AsSpan(start, length), VectorWidth.Scalar), norms[chunk]);
            }
        }
        foreach (var buffer in buffers) buffer.Dispose();
    }

    [Fact]
    public void Nodes_cut_to_the_shard_give_the_same_sum_and_are_left_alone()
    {
        var range = ShardPlan.Deal(Layout, 3).Ranges[1];
        var program = ReductionProgram.OverLeaves(4);
        var whole = program.Nodes.Select(n => ArithmeticFixtures.Native(Value(n, 4))).ToArray();
        var cut = whole.Select(b => ArithmeticFixtures.Native(b.Span.Slice(range.Offset, range.Length))).ToArray();
        using var reducer = new ShardReducer(range, Layout);
        float[] a = new float[range.Length], b = new float[range.Length];
        double[] x = new double[reducer.ParameterChunkCount], y = new double[reducer.ParameterChunkCount];
        reducer.Reduce(program, At(range.Offset, [.. whole]), a, x);
        reducer.Reduce(program, At(0, [.. cut]), b, y);
        ArithmeticFixtures.SameBits(a, b);
        Assert.Equal(x, y);
        for (var i = 0; i < whole.Length; i++) ArithmeticFixtures.SameBits(Value(program.Nodes[i], 4), whole[i].Span, $"node {i}");
        foreach (var buffer in whole.Concat(cut)) buffer.Dispose();
    }

    [Fact]
    public void Non_finite_element_makes_its_chunk_norm_non_finite()
    {
        var range = ShardPlan.Deal(Layout, 1).Ranges[0];
        using var a = ArithmeticFixtures.Native(Value(TreeNode.Leaf(0), 2));
        using var b = ArithmeticFixtures.Native(Value(TreeNode.Leaf(1), 2));
        a.Span[Limits.ChunkFloats + 7] = float.NaN;
        using var reducer = new ShardReducer(range, Layout);
        var squares = new double[reducer.ParameterChunkCount];
        reducer.Reduce(ReductionProgram.OverLeaves(2), At(0, a, b), new float[range.Length], squares);
        Assert.True(double.IsFinite(squares[0]));
        Assert.False(double.IsFinite(squares[1]));
    }

    [Fact]
    public void Wrong_number_of_nodes_or_floats_is_refused()
    {
        var range = ShardPlan.Deal(Layout, 1).Ranges[0];
        using var reducer = new ShardReducer(range, Layout);
        using var buffer = NativeBuffer.Allocate(Layout.StateFloats);
        var squares = new double[reducer.ParameterChunkCount];
        Assert.Throws<ArgumentException>(() => reducer.Reduce(ReductionProgram.OverLeaves(2), At(0, buffer), new float[range.Length], squares));
        Assert.Throws<ArgumentException>(() => reducer.Reduce(ReductionProgram.OverLeaves(1), At(0, buffer), new float[1], squares));
        Assert.Throws<ArgumentException>(() => reducer.Reduce(ReductionProgram.OverLeaves(1), At(0, buffer), new float[range.Length], new double[1]));
    }

    [Fact]
    public void Scalars_add_up_through_the_same_tree()
    {
        static double Reference(TreeNode node, double[] leaves) =>
            node.IsLeaf ? leaves[node.Index]
            : !node.Right.Exists(leaves.Length) ? Reference(node.Left, leaves)
            : Reference(node.Left, leaves) + Reference(node.Right, leaves);

        for (var count = 1; count <= 130; count++)
        {
            var leaves = Enumerable.Range(0, count).Select(i => Math.Sin(i * 12.9898) * Math.Pow(10, i % 17)).ToArray();
            Assert.Equal(BitConverter.DoubleToInt64Bits(Reference(TreeNode.Root(count), leaves)), BitConverter.DoubleToInt64Bits(TreeSum.Of(leaves)));
        }
        Assert.True(double.IsNegative(TreeSum.Of([-0.0, -0.0, -0.0])));
    }
}
