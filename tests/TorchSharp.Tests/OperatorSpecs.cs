using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

/// <summary>Operators against values computed by hand.</summary>
public sealed class OperatorSpecs : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    private static Tensor Of(params float[] values) => tensor(values);

    private static void Holds(Tensor actual, params float[] expected) => Assert.Equal(expected, actual.data<float>().ToArray());

    [Fact]
    public void Arithmetic_works_on_tensors_and_numbers_in_either_order()
    {
        var a = Of(1, 2, 4);
        var b = Of(3, 5, 8);
        Holds(a + b, 4, 7, 12);
        Holds(a + 1, 2, 3, 5);
        Holds(1 + a, 2, 3, 5);
        Holds(a.add(b, 2), 7, 12, 20);
        Holds(b - a, 2, 3, 4);
        Holds(b - 1, 2, 4, 7);
        Holds(10 - a, 9, 8, 6);
        Holds(a * b, 3, 10, 32);
        Holds(a * 0.5, 0.5f, 1, 2);
        Holds(0.5 * a, 0.5f, 1, 2);
        Holds(b / a, 3, 2.5f, 2);
        Holds(b / 2, 1.5f, 2.5f, 4);
        Holds(8 / a, 8, 4, 2);
        Holds(-a, -1, -2, -4);
        Holds(b.div(a, RoundingMode.floor), 3, 2, 2);
        Holds((-b).div(2, RoundingMode.trunc), -1, -2, -4);
        Holds(a.pow(2), 1, 4, 16);
    }

    [Fact]
    public void A_trailing_underscore_changes_the_tensor_itself_and_returns_it()
    {
        var a = Of(1, 2, 4);
        Assert.Same(a, a.add_(Of(1, 1, 1)));
        Holds(a, 2, 3, 5);
        Holds(a.sub_(1).mul_(2).div_(4), 0.5f, 1, 2);
        Holds(a.add_(Of(1, 2, 3), 2), 2.5f, 5, 8);
        Holds(a.mul_(a).neg_().relu_(), 0, 0, 0);
        Holds(a.fill_(4).sqrt_(), 2, 2, 2);
        Holds(a.copy_(Of(7)), 7, 7, 7);
        Holds(a.zero_(), 0, 0, 0);
    }

    [Fact]
    public void Elementwise_functions_and_comparisons_give_the_values_they_name()
    {
        var a = Of(-2, 0, 3);
        Holds(a.relu(), 0, 0, 3);
        Holds(a.abs(), 2, 0, 3);
        Holds(a.square(), 4, 0, 9);
        Holds(Of(1, 4).sqrt(), 1, 2);
        Holds(Of(0, 0).exp(), 1, 1);
        Holds(Of(1).log(), 0);
        Holds(Of(0).sigmoid(), 0.5f);
        Holds(Of(0).tanh(), 0);
        Holds(a.clamp(-1, 1), -1, 0, 1);
        Holds(a.clamp(min: 0), 0, 0, 3);
        Holds(a.clamp(max: 0), -2, 0, 0);
        Holds(a.maximum(Of(1, 1, 1)), 1, 1, 3);
        Holds(a.minimum(Of(1, 1, 1)), -2, 0, 1);
        bool[] Truth(Tensor t) => t.data<bool>().ToArray();
        Assert.Equal([false, true, false], Truth(a.eq(0)));
        Assert.Equal([true, false, true], Truth(a.ne(0)));
        Assert.Equal([true, false, false], Truth(a.lt(0)));
        Assert.Equal([true, true, false], Truth(a.le(0)));
        Assert.Equal([false, false, true], Truth(a.gt(0)));
        Assert.Equal([false, true, true], Truth(a.ge(0)));
        var other = Of(-2, 1, 2);
        Assert.Equal([true, false, false], Truth(a.eq(other)));
        Assert.Equal([false, true, true], Truth(a.ne(other)));
        Assert.Equal([false, true, false], Truth(a.lt(other)));
        Assert.Equal([true, true, false], Truth(a.le(other)));
        Assert.Equal([false, false, true], Truth(a.gt(other)));
        Assert.Equal([true, false, true], Truth(a.ge(other)));
        Assert.Equal([false, true, false], Truth(a.ne(0).logical_not()));
        Assert.Equal([false, false, true], Truth(a.gt(-1).logical_and(a.gt(0))));
        Assert.Equal([false, true, true], Truth(a.gt(-1).logical_or(a.gt(0))));
        var odd = Of(1, float.NaN, float.PositiveInfinity);
        Assert.Equal([true, false, false], Truth(odd.isfinite()));
        Assert.Equal([false, true, false], Truth(odd.isnan()));
        Assert.Equal([false, false, true], Truth(odd.isinf()));
        Holds(where(a.gt(0), a, other), -2, 1, 3);
        Binding.NeedsOurs("libtorch refuses it, not the binding");
        Assert.Throws<ArgumentException>(() => a.clamp((Scalar?)null, null));
    }

    [Fact]
    public void Reductions_run_over_all_or_some_dimensions()
    {
        var m = tensor([1f, 2, 3, 4, 5, 9], [2, 3]);
        Assert.Equal(24, m.sum().item<float>());
        Assert.Equal(24.0, m.sum(float64).item<double>());
        Holds(m.sum(0L), 5, 7, 12);
        Holds(m.sum([1L]), 6, 18);
        Assert.Equal([2, 1], m.sum(1L, keepdim: true).shape);
        Assert.Equal(4, m.mean().item<float>());
        Holds(m.mean([1]), 2, 6);
        Holds(m.var([1], unbiased: false), 2f / 3, 14f / 3);
        Holds(m.var([1]), 1, 7);
        Assert.Equal(9, m.max().item<float>());
        Assert.Equal(1, m.min().item<float>());
        var (values, indexes) = m.max(1);
        Holds(values, 3, 9);
        Assert.Equal([2L, 2L], indexes.data<long>().ToArray());
        Assert.Equal([0L, 0L], m.min(1).indexes.data<long>().ToArray());
        Assert.Equal(5L, m.argmax().item<long>());
        Assert.Equal([1L, 1L, 1L], m.argmax(0).data<long>().ToArray());
        Holds(m.topk(2).values, 3, 2, 9, 5);
        Assert.True(m.gt(0).all().item<bool>());
        Assert.False(m.gt(1).all().item<bool>());
        Assert.True(m.gt(8).any().item<bool>());
        Assert.Equal([false, true], m.gt(3).all(1).data<bool>().ToArray());
        Assert.Equal([false, true], m.gt(4).any(1).data<bool>().ToArray());
        Assert.Equal(5, Of(3, 4).norm().item<float>());
        Assert.Equal(7, Of(3, -4).norm(1f).item<float>());
        Holds(tensor([3f, 4, 6, 8], [2, 2]).norm(1, false, 2), 5, 10);
        Holds(Of(5, 5).softmax(0), 0.5f, 0.5f);
        Assert.Equal(-MathF.Log(2), Of(5, 5).log_softmax(0).data<float>()[1], 1e-6f);
    }

    [Fact]
    public void Products_and_lookups_pick_the_right_elements()
    {
        var a = tensor([1f, 2, 3, 4], [2, 2]);
        var b = tensor([5f, 6, 7, 8], [2, 2]);
        Holds(a.mm(b), 19, 22, 43, 50);
        Holds(a.matmul(Of(1, 1)), 3, 7);
        Holds(a.gather(1, tensor([1L, 0], [2, 1])), 2, 3);
        Holds(a.index_select(0, tensor([1L])), 3, 4);
        Holds(a.masked_fill(a.gt(2), -1), 1, 2, -1, -1);
        Holds(cat([a, b], 1), 1, 2, 5, 6, 3, 4, 7, 8);
        Assert.Equal([2, 2, 2], stack([a, b]).shape);
        Holds(stack([a, b], 2), 1, 5, 2, 6, 3, 7, 4, 8);
    }

    [Fact]
    public void Views_rearrange_without_changing_values()
    {
        var m = arange(6, dtype: float32).view(2, 3);
        Assert.Equal([2, 3], m.shape);
        Assert.Equal([3, 1], m.stride());
        Holds(m.t().contiguous(), 0, 3, 1, 4, 2, 5);
        Holds(m.transpose(0, 1), 0, 3, 1, 4, 2, 5);
        Assert.False(m.t().is_contiguous());
        Holds(m.permute(1, 0), 0, 3, 1, 4, 2, 5);
        Holds(m.reshape(3, -1), 0, 1, 2, 3, 4, 5);
        Holds(m.flatten(), 0, 1, 2, 3, 4, 5);
        Holds(m.narrow(1, 1, 2), 1, 2, 4, 5);
        Holds(m.slice(1, 0, 3, 2), 0, 2, 3, 5);
        Holds(m.select(0, 1), 3, 4, 5);
        Holds(m.flip(1), 2, 1, 0, 5, 4, 3);
        Assert.Equal([2, 1, 3], m.unsqueeze(1).shape);
        Assert.Equal([2, 3], m.unsqueeze(1).squeeze(1).shape);
        Assert.Equal([3], Of(1, 2, 3).unsqueeze(0).squeeze().shape);
        Holds(Of(1, 2).unsqueeze(1).expand(2, 2), 1, 1, 2, 2);
        var parts = arange(5).split(2);
        Assert.Equal([2L, 2, 1], parts.Select(part => part.size(0)));
        m.select(0, 0).fill_(9);
        Holds(m.select(0, 0), 9, 9, 9);
    }

    [Fact]
    public void Factories_make_the_size_type_and_values_asked_for()
    {
        Holds(zeros(2), 0, 0);
        Holds(ones(1, 2), 1, 1);
        Holds(full(2, 3.5), 3.5f, 3.5f);
        Assert.Equal(int64, full([2], 3).dtype);
        Assert.Equal(float64, zeros([1], float64).dtype);
        Assert.Equal([2, 3, 4, 5], empty(2, 3, 4, 5).shape);
        Assert.Equal([1L, 3, 5], arange(1, 6, 2).data<long>().ToArray());
        Assert.Equal(2.5, tensor(2.5).ToDouble());
        Assert.Equal([2, 2], from_array(new float[,] { { 1, 2 }, { 3, 4 } }).shape);
        Holds(from_array(new int[] { 1, 2 }, float32), 1, 2);
        Assert.Equal([3, 2], zeros(3, 2).zeros_like().shape);
        Holds(zeros(2).ones_like(), 1, 1);
        Assert.Equal([0L, 1, 2, 3], randperm(4).data<long>().Order());
        Assert.All(randint(3, 5, [50]).data<long>(), value => Assert.InRange(value, 3, 4));
        Binding.NeedsOurs("it takes names of dimensions, and its own error for other arrays");
        Assert.Throws<NotSupportedException>(() => zeros(2, names: ["N"]));
        Assert.Throws<ArgumentException>(() => from_array(new string[1]));
    }

    [Fact]
    public void A_generator_repeats_its_stream_from_the_same_seed_and_state()
    {
        using var one = new Generator(7);
        using var two = new Generator(7);
        Assert.Equal(randn(5, generator: one).data<float>().ToArray(), randn(5, generator: two).data<float>().ToArray());
        var state = one.get_state();
        var next = rand(3, generator: one).data<float>().ToArray();
        one.set_state(state);
        Assert.Equal(next, rand(3, generator: one).data<float>().ToArray());
        Assert.Equal(7, two.initial_seed());
        manual_seed(3);
        var first = randn(4).data<float>().ToArray();
        manual_seed(3);
        Assert.Equal(first, zeros(4).normal_().data<float>().ToArray());
        Assert.NotEqual(first, randn(4).data<float>().ToArray());
    }
}
