using System.Collections;
using Tensor = TorchSharp.torch.Tensor;

namespace TorchSharp.Modules;

/// <summary>Modules one after another, named 0, 1, ... unless names are given. Intermediate results are disposed on the way.</summary>
public class Sequential : torch.nn.Module<Tensor, Tensor>
{
    private readonly List<torch.nn.IModule<Tensor, Tensor>> _chain = [];

    internal Sequential(IEnumerable<(string, torch.nn.Module<Tensor, Tensor>)> modules) : base(nameof(Sequential))
    {
        foreach (var (name, module) in modules) append(name, module);
    }

    public int Count => _chain.Count;

    public Sequential append(torch.nn.IModule<Tensor, Tensor> module) => append(_chain.Count.ToString(), module);

    /// <exception cref="ArgumentException">The object is not a module.</exception>
    public Sequential append(string name, torch.nn.IModule<Tensor, Tensor> module)
    {
        register_module(name, module as torch.nn.Module ?? throw new ArgumentException("a sequence is made of modules", nameof(module)));
        _chain.Add(module);
        return this;
    }

    public override Tensor forward(Tensor tensor)
    {
        if (_chain.Count == 0) return tensor.alias();
        var current = tensor;
        foreach (var module in _chain)
        {
            var next = module.call(current);
            // The graph holds its own references; only the objects made here are let go, never the caller's input.
            if (!ReferenceEquals(current, tensor) && !ReferenceEquals(current, next)) current.Dispose();
            current = next;
        }
        return current;
    }
}

/// <summary>Modules in a list, named 0, 1, ... . https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html</summary>
public class ModuleList<T> : torch.nn.Module, IReadOnlyList<T> where T : torch.nn.Module
{
    private readonly List<T> _list = [];

    public ModuleList(params T[] modules) : base(nameof(ModuleList<T>)) => extend(modules);

    public int Count => _list.Count;

    public bool IsReadOnly => false;

    public T this[int index]
    {
        get => _list[index];
        set
        {
            _list[index] = value;
            register_module(index.ToString(), value);
        }
    }

    public void Add(T item)
    {
        register_module(_list.Count.ToString(), item);
        _list.Add(item);
    }

    public void append(params T[] parameters) => extend(parameters);

    public void extend(IEnumerable<T> modules)
    {
        foreach (var module in modules) Add(module);
    }

    public bool Contains(T item) => _list.Contains(item);

    public int IndexOf(T item) => _list.IndexOf(item);

    public IEnumerator<T> GetEnumerator() => _list.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
