using Cluster.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Binding.Tests;

public sealed class ModuleSpecs : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Training_mode_reaches_every_descendant()
    {
        using var net = new SmallNet();
        net.eval();
        Assert.All(net.modules(), module => Assert.False(module.training));
        net.train();
        Assert.True(net.training);
        Assert.All(net.modules(), module => Assert.True(module.training));
        Assert.Equal(["conv1", "bn1", "layer1", "pool", "global", "fc"], net.named_children().Select(entry => entry.name));
        Assert.Empty(net.named_parameters(recurse: false));
        Assert.NotNull(net.get_parameter("layer1.0.weight"));
        Assert.True(net.has_buffer("bn1.running_mean"));
        Assert.False(net.has_parameter("nothing"));
        Binding.NeedsOurs("it names grandchildren after all children");
        Assert.Equal(["conv1", "bn1", "layer1", "layer1.0", "layer1.1", "layer1.2", "pool", "global", "fc"], net.named_modules().Select(entry => entry.name));
    }

    [Fact]
    public void A_state_dict_loads_into_a_twin_and_refuses_strangers()
    {
        using var net = SmallNet.Seeded(1);
        using var twin = SmallNet.Seeded(2);
        net.Step(1);
        twin.load_state_dict(net.state_dict());
        Assert.Equal(net.Step(2), twin.Step(2));
        var torn = net.state_dict();
        torn.Remove("fc.bias");
        torn["stranger"] = ones(1);
        var error = Assert.Throws<InvalidOperationException>(() => twin.load_state_dict(torn));
        var (missing, unexpected) = twin.load_state_dict(torn, strict: false);
        Assert.Equal(["fc.bias"], missing);
        Assert.Equal(["stranger"], unexpected);
        Binding.NeedsOurs("its error says that names differ, and not which");
        Assert.Contains("fc.bias", error.Message, StringComparison.Ordinal);
        Assert.Contains("stranger", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_converts_in_place_so_that_handles_stay_good()
    {
        Binding.NeedsOurs("it replaces the tensors of a module that it converts");
        using var net = SmallNet.Seeded(1);
        var weight = net.get_parameter("conv1.weight")!;
        using var flat = new FlatCopy([weight]);
        var before = weight.detach().data<float>().ToArray();
        net.Step(1);
        Assert.Same(net, net.to(float64));
        Assert.Equal(float64, weight.dtype);
        Assert.Equal(float64, weight.grad!.dtype);
        Assert.True(weight.requires_grad);
        Assert.Equal(float64, net.get_buffer("bn1.running_mean")!.dtype);
        Assert.Equal(int64, net.get_buffer("bn1.num_batches_tracked")!.dtype);
        var after = new float[flat.Length];
        flat.CopyTo(after);
        Assert.Equal(before, after);
        Assert.True(float.IsFinite(net.to(float32).to(CPU).Step(1)));
    }

    [Fact]
    public void Channels_last_weights_give_the_same_answer_up_to_rounding()
    {
        using var net = SmallNet.Seeded(1);
        var plain = net.Step(3);
        MemoryFormats.ToChannelsLast(net);
        Assert.True(MemoryFormats.IsChannelsLast(net.get_parameter("conv1.weight")!));
        Assert.Equal(plain, net.Step(3), 1e-3f);
    }

    [Fact]
    public void A_sequence_runs_in_order_and_never_disposes_its_input()
    {
        var x = tensor([-1f, 2], [1, 2]);
        using var chain = Sequential(("first", Identity()), ("second", ReLU()));
        chain.append(Identity());
        Assert.Equal(["first", "second", "2"], chain.named_children().Select(entry => entry.name));
        Assert.Equal([0f, 2], chain.call(x).data<float>().ToArray());
        Assert.False(x.IsInvalid);
        Assert.Equal([-1f, 2], Sequential().call(x).data<float>().ToArray());
        Assert.Equal(["0", "1"], Sequential(Identity(), ReLU()).named_children().Select(entry => entry.name));
    }

    [Fact]
    public void A_list_names_its_modules_by_index()
    {
        using var list = ModuleList(Linear(1, 1), Linear(1, 2));
        list.append(Linear(2, 1, hasBias: false));
        Assert.Equal(3, list.Count);
        Assert.Equal(1, list.IndexOf(list[1]));
        Binding.NeedsOurs("its list has children only once it is part of a module");
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias", "2.weight"], list.named_parameters().Select(entry => entry.name));
    }

    private sealed class Registrar : Module<Tensor, Tensor>
    {
        public Registrar() : base(nameof(Registrar)) { }
        public void Register(string name, Module module) => register_module(name, module);
        public override Tensor forward(Tensor input) => input.alias();
    }

    private sealed class HoldsAProperty : Module<Tensor, Tensor>
    {
        public HoldsAProperty() : base(nameof(HoldsAProperty)) => RegisterComponents();
        public Linear Inner { get; } = Linear(1, 1);
        public override Tensor forward(Tensor input) => Inner.call(input);
    }

    [Fact]
    public void A_name_that_would_break_the_path_is_refused()
    {
        using var module = new Registrar();
        Assert.Throws<ArgumentException>(() => module.Register("a.b", Identity()));
        Assert.Throws<ArgumentException>(() => module.Register("", Identity()));
        Binding.NeedsOurs("it registers a module within itself, and takes a property for a field");
        Assert.Throws<ArgumentException>(() => module.Register("self", module));
        Assert.Contains("make it a field", Assert.Throws<InvalidOperationException>(() => new HoldsAProperty()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_visits_children_before_parents()
    {
        Binding.NeedsOurs("its sequences bear the name of their C++ class");
        using var chain = Sequential(Sequential(Identity()), ReLU());
        var names = new List<string>();
        chain.apply(module => names.Add(module.GetName()));
        Assert.Equal(["Identity", "Sequential", "ReLU", "Sequential"], names);
    }
}
