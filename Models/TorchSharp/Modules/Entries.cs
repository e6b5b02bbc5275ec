using System.Collections;

namespace TorchSharp.Modules;

/// <summary>Named things in the order of their first registration.</summary>
internal sealed class Entries<T>(string kind) : IEnumerable<(string, T)> where T : class
{
    private readonly List<(string Name, T Value)> _list = [];

    public IEnumerable<T> Values => _list.Select(entry => entry.Value);

    /// <summary>Adds or replaces; null removes.</summary>
    /// <exception cref="ArgumentException">The name is empty or holds the separator of paths.</exception>
    public void Set(string name, T? value)
    {
        if (string.IsNullOrEmpty(name) || name.Contains('.', StringComparison.Ordinal))
            throw new ArgumentException($"'{name}' cannot name a {kind}: a name is not empty and has no dot", nameof(name));
        var index = _list.FindIndex(entry => entry.Name == name);
        if (value is null)
        {
            if (index >= 0) _list.RemoveAt(index);
        }
        else if (index >= 0)
        {
            _list[index] = (name, value);
        }
        else
        {
            _list.Add((name, value));
        }
    }

    public void Clear() => _list.Clear();

    public IEnumerator<(string, T)> GetEnumerator() => _list.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
