using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class ParameterLayoutSpecs
{
    private static readonly (string, IReadOnlyList<int>, StateKind, bool)[] Tensors =
    [
        ("bn.running_mean", [100], StateKind.Buffer, false),
        ("conv.weight", [64, 512, 3], StateKind.Parameter, true),
        ("bn.num_batches_tracked", [], StateKind.Counter, false),
        ("bn.bias", [100], StateKind.Parameter, false),
        ("bn.running_var", [100], StateKind.Buffer, true),
    ];

    [Fact]
    public void Parameters_come_first_padded_to_a_chunk_edge_then_buffers()
    {
        var layout = ParameterLayout.Of(Tensors);
        Assert.Equal(["conv.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked"], layout.Entries.Select(e => e.Name));
        Assert.Equal([0, 98_304, 131_072, 131_172, -1], layout.Entries.Select(e => e.Offset));
        Assert.Equal((98_404, 131_072, 131_272), (layout.ParameterFloats, layout.BufferOffset, layout.StateFloats));
        Assert.Equal((3, 2), (layout.ChunkCount, layout.ParameterChunkCount));
        Assert.Equal((65_536, 65_536), layout.Chunk(1));
        Assert.Equal((131_072, 200), layout.Chunk(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => layout.Chunk(3));
        Assert.False(layout["bn.running_var"].Decays);
        Assert.Equal(1, layout["bn.num_batches_tracked"].Length);
    }

    [Fact]
    public void Model_without_buffers_ends_at_the_padding()
    {
        var layout = ParameterLayout.Of([("w", [65_536], StateKind.Parameter, true), ("b", [1], StateKind.Parameter, false)]);
        Assert.Equal((65_537, 131_072, 131_072, 2), (layout.ParameterFloats, layout.BufferOffset, layout.StateFloats, layout.ChunkCount));
    }

    [Fact]
    public void Hash_tells_names_shapes_kinds_decay_and_order_apart()
    {
        (string, IReadOnlyList<int>, StateKind, bool)[][] models =
        [
            [("a", [2, 3], StateKind.Parameter, true), ("b", [6], StateKind.Parameter, true)],
            [("a", [3, 2], StateKind.Parameter, true), ("b", [6], StateKind.Parameter, true)],
            [("a", [2, 3], StateKind.Parameter, false), ("b", [6], StateKind.Parameter, true)],
            [("a", [2, 3], StateKind.Parameter, true), ("c", [6], StateKind.Parameter, true)],
            [("b", [6], StateKind.Parameter, true), ("a", [2, 3], StateKind.Parameter, true)],
            [("a", [2, 3], StateKind.Parameter, true), ("b", [6], StateKind.Buffer, false)],
            [("a", [2, 3], StateKind.Parameter, true), ("b", [6, 1], StateKind.Parameter, true)],
        ];
        Assert.Equal(models.Length, models.Select(m => ParameterLayout.Of(m).Hash).Distinct().Count());
        Assert.Equal(ParameterLayout.Of(models[0]).Hash, ParameterLayout.Of(models[0]).Hash);
        Assert.Matches("^[0-9a-f]{64}$", ParameterLayout.Of(models[0]).Hash);
    }

    private static readonly (string, IReadOnlyList<int>, StateKind, bool)[] Rows =
    [
        ("conv.weight", [3, 500, 7, 7], StateKind.Parameter, true),         // two rows and a bit to a chunk
        ("conv.bias", [3], StateKind.Parameter, false),
        ("wide.weight", [2, 70_000], StateKind.Parameter, true),            // a row is longer than a chunk
        ("wide.bias", [40_000], StateKind.Parameter, false),                // one row of its own
        ("long.bias", [30_000], StateKind.Parameter, false),
        ("bn.running_mean", [70_000], StateKind.Buffer, false),
    ];

    [Fact]
    public void Chunks_of_whole_rows_end_at_rows_and_leave_every_offset_as_it_is()
    {
        var (even, layout) = (ParameterLayout.Of(Rows), ParameterLayout.Of(Rows, wholeRows: true));
        Assert.Equal(even.Entries.Select(e => e.Offset), layout.Entries.Select(e => e.Offset));
        Assert.Equal((even.ParameterFloats, even.BufferOffset, even.StateFloats), (layout.ParameterFloats, layout.BufferOffset, layout.StateFloats));
        var chunks = Enumerable.Range(0, layout.ChunkCount).Select(layout.Chunk).ToArray();
        // Two rows; the third with its bias; the long rows by themselves; a bias; a bias; the padding; buffers as ever.
        Assert.Equal([49_000, 24_503, 70_000, 70_000, 40_000, 30_000, 44_177, 65_536, 4_464], chunks.Select(c => c.Length));
        Assert.Equal(layout.BufferOffset, chunks[layout.ParameterChunkCount].Start);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Chunks_and_pieces_cover_the_state_in_order_and_no_piece_crosses_a_chunk(bool wholeRows)
    {
        var layout = ParameterLayout.Of(Rows, wholeRows);
        var next = 0;
        for (var i = 0; i < layout.ChunkCount; i++)
        {
            var (start, length) = layout.Chunk(i);
            Assert.Equal((next, start + length, start + length), (start, layout.EndOfChunk(start), layout.EndOfChunk(start + length - 1)));
            next = start + length;
        }
        Assert.Equal(layout.StateFloats, next);

        var parameters = layout.Parameters.ToArray();
        next = 0;
        foreach (var (parameter, chunk, offset, length) in layout.Pieces)
        {
            var (start, floats) = layout.Chunk(chunk);
            Assert.Equal(next, offset);
            Assert.True(length > 0 && offset >= start && offset + length <= start + floats, $"piece at {offset} lies in chunk {chunk}");
            var entry = parameters[parameter];
            Assert.True(offset >= entry.Offset && offset + length <= entry.Offset + entry.Length, $"piece at {offset} lies in {entry.Name}");
            if (wholeRows) Assert.Equal(0, (offset - entry.Offset) % entry.RowLength);
            next = offset + length;
        }
        Assert.Equal(layout.ParameterFloats, next);
    }

    [Fact]
    public void Hash_tells_whole_rows_and_is_else_what_it_was()
    {
        Assert.NotEqual(ParameterLayout.Of(Rows).Hash, ParameterLayout.Of(Rows, wholeRows: true).Hash);
        // Of a checkpoint that was written before there were whole rows.
        Assert.Equal("e5bd087b62a725dc00e2752558d865134b00c304b35966703c5d0cde7140fe93", ParameterLayout.Of(Tensors).Hash);
    }

    [Fact]
    public void Impossible_models_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([]));
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("b", [3], StateKind.Buffer, false)]));
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("w", [3], StateKind.Parameter, true), ("w", [3], StateKind.Buffer, true)]));
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("w", [int.MaxValue], StateKind.Parameter, true), ("v", [9], StateKind.Parameter, true)]));
    }
}
