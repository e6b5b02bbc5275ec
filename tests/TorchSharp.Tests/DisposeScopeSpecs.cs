using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

public sealed class DisposeScopeSpecs
{
    [Fact]
    public void A_scope_disposes_what_was_made_in_it_and_nothing_else()
    {
        using var outside = ones(1);
        Tensor inside;
        var before = TorchRuntime.LiveTensors;
        using (var scope = NewDisposeScope())
        {
            inside = outside + 1;
            Assert.Equal(1, scope.DisposablesCount);
            Assert.True(scope.Contains(inside));
        }
        Assert.True(inside.IsInvalid);
        Assert.False(outside.IsInvalid);
        Assert.Equal(before, TorchRuntime.LiveTensors);
    }

    [Fact]
    public void A_tensor_moves_one_scope_out_and_lives_as_long_as_that()
    {
        Tensor result;
        using (NewDisposeScope())
        {
            using (NewDisposeScope()) result = ones(2).MoveToOuterDisposeScope();
            Assert.Equal(2, result.sum().item<float>());
        }
        Assert.True(result.IsInvalid);
        using (NewDisposeScope()) result = ones(2).MoveToOuterDisposeScope();
        Assert.False(result.IsInvalid); // no scope around: the caller's
        result.Dispose();
    }

    [Fact]
    public void A_detached_tensor_survives_every_scope()
    {
        Tensor result;
        using (NewDisposeScope())
        using (NewDisposeScope()) result = ones(2).DetachFromDisposeScope();
        Assert.False(result.IsInvalid);
        result.Dispose();
    }

    [Fact]
    public void A_tensor_disposed_early_leaves_its_scope()
    {
        using var scope = NewDisposeScope();
        ones(1).Dispose();
        Assert.Equal(0, scope.DisposablesCount);
    }

    [Fact]
    public void DisposeEverythingBut_keeps_what_is_named()
    {
        using var scope = NewDisposeScope();
        var (keep, drop) = (ones(1), ones(1));
        scope.DisposeEverythingBut(keep);
        Assert.False(keep.IsInvalid);
        Assert.True(drop.IsInvalid);
        scope.DisposeEverything();
        Assert.True(keep.IsInvalid);
    }

    [Fact]
    public void A_scope_belongs_to_its_thread()
    {
        using var scope = NewDisposeScope();
        Tensor? elsewhere = null;
        var thread = new Thread(() => elsewhere = ones(1));
        thread.Start();
        thread.Join();
        Assert.Equal(0, scope.DisposablesCount);
        elsewhere!.Dispose();
    }

    [Fact]
    public void Scopes_closed_out_of_order_still_own_what_is_theirs()
    {
        var outer = NewDisposeScope();
        var inner = NewDisposeScope();
        outer.Dispose();
        var tensor = ones(1);
        Assert.True(inner.Contains(tensor));
        inner.Dispose();
        Assert.True(tensor.IsInvalid);
        using var free = ones(1);
        Assert.False(free.IsInvalid);
    }

    [Fact]
    public void A_parameter_takes_over_its_tensor_and_its_module_keeps_it_alive()
    {
        Tensor data;
        SmallNet net;
        using (NewDisposeScope())
        {
            data = ones(2);
            var parameter = nn.Parameter(data);
            Assert.True(data.IsInvalid);
            Assert.True(parameter.requires_grad);
            Assert.Equal(2, parameter.sum().item<float>());
            net = new SmallNet();
        }
        Assert.All(net.parameters(), parameter => Assert.False(parameter.IsInvalid));
        var kept = net.parameters().Concat(net.buffers()).ToArray();
        net.Dispose();
        Assert.All(kept, tensor => Assert.True(tensor.IsInvalid));
    }
}
