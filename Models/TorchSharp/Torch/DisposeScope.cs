namespace TorchSharp;

/// <summary>
/// Owns every tensor that its thread makes while it is the innermost scope, and disposes them when it is disposed,
/// except those that were moved out. Not thread-safe: it belongs to the thread that made it.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic] private static DisposeScope? t_innermost;

    private readonly HashSet<IDisposable> _disposables = new(ReferenceEqualityComparer.Instance);
    private DisposeScope? _outer;
    private bool _closed;

    internal DisposeScope()
    {
        _outer = t_innermost;
        t_innermost = this;
    }

    /// <summary>The scope that a tensor made now on this thread belongs to.</summary>
    internal static DisposeScope? Innermost => t_innermost;

    public int DisposablesCount => _disposables.Count;

    public IReadOnlyList<IDisposable> DisposablesView => [.. _disposables];

    public bool Contains(IDisposable disposable) => _disposables.Contains(disposable);

    /// <summary>Takes a disposable in, out of the scope it was in. Returns it.</summary>
    public T Include<T>(T disposable) where T : IDisposable
    {
        if (disposable is torch.Tensor tensor)
        {
            if (tensor.OwningScope == this) return disposable;
            tensor.OwningScope?._disposables.Remove(tensor);
            tensor.OwningScope = this;
        }
        _disposables.Add(disposable);
        return disposable;
    }

    /// <summary>Hands a disposable to the scope around this one, or to nobody when there is none. Returns it.</summary>
    public T MoveToOuter<T>(T disposable) where T : IDisposable
    {
        MoveToOuter([disposable]);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
    {
        MoveToOuter([first, second]);
        return (first, second);
    }

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOuter((IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables)
        {
            Forget(disposable);
            _outer?.Include(disposable);
        }
    }

    /// <summary>Lets go of a disposable: from now on its holder disposes it. Returns it.</summary>
    public T Detach<T>(T disposable) where T : IDisposable
    {
        Forget(disposable);
        return disposable;
    }

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
    {
        Detach([first, second]);
        return (first, second);
    }

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables) Forget(disposable);
    }

    public void DisposeEverything() => DisposeEverythingBut([]);

    public T DisposeEverythingBut<T>(T keep) where T : IDisposable
    {
        DisposeEverythingBut([keep]);
        return keep;
    }

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        var keep = new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance);
        foreach (var disposable in _disposables.ToArray())
        {
            if (keep.Contains(disposable)) continue;
            Forget(disposable);
            disposable.Dispose();
        }
    }

    /// <summary>Says that somebody else disposed of it.</summary>
    public void MarkAsDisposed(IDisposable disposable) => Forget(disposable);

    /// <summary>Disposes what it still owns, and stops owning new tensors.</summary>
    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        foreach (var disposable in _disposables)
        {
            if (disposable is torch.Tensor tensor) tensor.OwningScope = null;
            disposable.Dispose();
        }
        _disposables.Clear();
        LeaveChain();
    }

    private void Forget(IDisposable disposable)
    {
        if (!_disposables.Remove(disposable)) return;
        if (disposable is torch.Tensor tensor) tensor.OwningScope = null;
    }

    /// <summary>Scopes are usually closed innermost first; one closed out of order is cut out of the chain.</summary>
    private void LeaveChain()
    {
        if (t_innermost == this)
        {
            t_innermost = _outer;
            return;
        }
        for (var scope = t_innermost; scope is not null; scope = scope._outer)
        {
            if (scope._outer == this) scope._outer = _outer;
        }
    }
}
