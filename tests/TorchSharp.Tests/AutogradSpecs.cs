using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

public sealed class AutogradSpecs : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Backward_adds_the_derivative_to_the_gradient()
    {
        var x = tensor([2f, 3], requires_grad: true);
        Assert.Null(x.grad);
        x.pow(3).sum().backward();
        Assert.Equal([12f, 27], x.grad!.data<float>().ToArray());
        x.sum().backward();
        Assert.Equal([13f, 28], x.grad!.data<float>().ToArray());
        Gradients.Clear([x]);
        Assert.Null(x.grad);
        (x * 2).backward([tensor([1f, 10])]);
        Assert.Equal([2f, 20], x.grad!.data<float>().ToArray());
        Binding.NeedsOurs("libtorch refuses it, not the binding");
        Assert.Throws<ArgumentException>(() => x.sum().backward([ones(1), ones(1)]));
    }

    [Fact]
    public void A_graph_serves_once_unless_it_is_kept()
    {
        var x = ones(1).requires_grad_();
        var y = (x * x).sum();
        y.backward(retain_graph: true);
        y.backward();
        Assert.Equal(4, x.grad!.item<float>());
        Assert.Contains("second time", Binding.Refusal(y.backward).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_inputs_asked_for_get_gradients()
    {
        var (a, b) = (ones(1).requires_grad_(), ones(1).requires_grad_());
        (a * b).sum().backward(inputs: [a]);
        Assert.NotNull(a.grad);
        Assert.Null(b.grad);
    }

    [Fact]
    public void Modes_hold_until_they_are_disposed_and_for_their_thread_only()
    {
        var x = ones(1).requires_grad_();
        Assert.True(is_grad_enabled());
        using (no_grad())
        {
            Assert.False((x + 1).requires_grad);
            using (enable_grad()) Assert.True((x + 1).requires_grad);
            Assert.False(is_grad_enabled());
            var elsewhere = false;
            var thread = new Thread(() => elsewhere = is_grad_enabled());
            thread.Start();
            thread.Join();
            Assert.True(elsewhere);
        }
        Assert.True(is_grad_enabled());
        using (set_grad_enabled(false)) Assert.False((x + 1).requires_grad);
        using (inference_mode()) Assert.False((x + 1).requires_grad);
        Assert.True((x + 1).requires_grad);
        Assert.False((x + 1).detach().requires_grad);
    }

    [Fact]
    public void A_gradient_can_be_set_where_it_fits()
    {
        var x = ones(2).requires_grad_();
        var gradient = tensor([5f, 6]);
        Gradients.Set(x, gradient);
        gradient.fill_(1);
        Assert.Equal([1f, 1], x.grad!.data<float>().ToArray());
        Assert.Contains("shape", Assert.Throws<TorchException>(() => Gradients.Set(x, ones(3))).Message, StringComparison.Ordinal);
        Assert.Throws<TorchException>(() => Gradients.Set(x, ones([2], float64)));
        Gradients.Set(x, null);
        Assert.Null(x.grad);
        (x * 3).sum().backward();
        using var module = nn.Linear(1, 1);
        module.call(ones(1, 1)).sum().backward();
        Binding.NeedsOurs("its zero_grad takes gradients away");
        module.zero_grad();
        Assert.Equal(0, module.weight.grad!.item<float>());
    }

    [Fact]
    public void An_intermediate_result_keeps_its_gradient_when_asked()
    {
        var x = ones(1).requires_grad_();
        var y = x * 2;
        Assert.False(y.is_leaf);
        y.retain_grad();
        (y * 3).sum().backward();
        Assert.Equal(3, y.grad!.item<float>());
    }
}
