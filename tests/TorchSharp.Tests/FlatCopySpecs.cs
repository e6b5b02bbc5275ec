using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

public sealed class FlatCopySpecs : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Values_survive_the_way_out_and_back()
    {
        using var net = SmallNet.Seeded(5);
        Tensor[] tensors = [.. net.parameters(), .. net.buffers()];
        using var flat = new FlatCopy(tensors);
        Assert.Equal(tensors.Sum(tensor => tensor.numel()), flat.Length);
        var state = new float[flat.Length];
        flat.CopyTo(state);
        Assert.Equal(tensors.SelectMany(tensor => tensor.detach().to(float32).flatten().data<float>()), state);
        using var other = SmallNet.Seeded(6);
        using var into = new FlatCopy([.. other.parameters(), .. other.buffers()]);
        into.CopyFrom(state);
        var again = new float[flat.Length];
        into.CopyTo(again);
        Assert.Equal(state, again);
        Assert.Equal(net.Step(1), other.Step(1));
    }

    [Fact]
    public void Offsets_place_each_tensor_and_leave_the_gaps_alone()
    {
        using var flat = new FlatCopy([full(2, 1f), full(3, 2f)], [4, 0]);
        Assert.Equal(6, flat.Length);
        var span = new float[] { 9, 9, 9, 9, 9, 9, 9 };
        flat.CopyTo(span);
        Assert.Equal([2f, 2, 2, 9, 1, 1, 9], span);
        Assert.Contains("ends at", Assert.Throws<TorchException>(() => flat.CopyTo(new float[5])).Message, StringComparison.Ordinal);
        Assert.Throws<TorchException>(() => flat.CopyFrom(new float[5]));
        Assert.Throws<ArgumentException>(() => new FlatCopy([ones(1)], [0, 1]));
        Assert.Throws<ArgumentException>(() => new FlatCopy([ones(1)], [-1]));
    }

    [Fact]
    public void Gradients_that_are_missing_read_as_zeros_and_cleared_ones_too()
    {
        var (used, unused) = (ones(2).requires_grad_(), ones(1).requires_grad_());
        using var flat = new FlatCopy([used, unused]);
        (used * tensor([2f, 3])).sum().backward();
        var span = new float[] { 9, 9, 9 };
        flat.CopyGradientsTo(span);
        Assert.Equal([2f, 3, 0], span);
        flat.ClearGradients();
        Assert.Null(used.grad);
        flat.CopyGradientsTo(span);
        Assert.Equal([0f, 0, 0], span);
    }

    [Fact]
    public void Other_layouts_and_types_are_converted_on_the_way()
    {
        var last = MemoryFormats.ContiguousChannelsLast(arange(8, dtype: float32).view(1, 2, 2, 2));
        var coarse = tensor([1.5f, 2]).to(bfloat16);
        var counter = tensor(7L);
        using var flat = new FlatCopy([last, coarse, counter]);
        var span = new float[flat.Length];
        flat.CopyTo(span);
        Assert.Equal([0f, 1, 2, 3, 4, 5, 6, 7, 1.5f, 2, 7], span);
        Array.Reverse(span);
        flat.CopyFrom(span);
        Assert.Equal([7f, 2, 1.5f, 7, 6, 5, 4, 3], last.contiguous().data<float>().ToArray());
        Assert.Equal(0, counter.item<long>());
        Assert.True(MemoryFormats.IsChannelsLast(last));
    }

    [Fact]
    public void It_keeps_its_tensors_memory_until_it_is_disposed()
    {
        var tensor = full(2, 3f);
        var flat = new FlatCopy([tensor]);
        tensor.Dispose();
        var span = new float[2];
        flat.CopyTo(span);
        Assert.Equal([3f, 3], span);
        flat.Dispose();
        Assert.Throws<ObjectDisposedException>(() => flat.CopyTo(span));
    }
}
