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

    [Fact]
    public void Impossible_models_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([]));
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("b", [3], StateKind.Buffer, false)]));
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("w", [3], StateKind.Parameter, true), ("w", [3], StateKind.Buffer, true)]));
        Assert.Throws<ArgumentException>(() => ParameterLayout.Of([("w", [int.MaxValue], StateKind.Parameter, true), ("v", [9], StateKind.Parameter, true)]));
    }
}
