using System.Runtime.ExceptionServices;

namespace Cluster.Workers.Data;

/// <summary>
/// Threads of one's own that read samples side by side, each with a reader of its own: one job at a time, whose items are
/// dealt one by one. Start, Wait and Dispose from one thread. Nothing is allocated per item.
/// </summary>
internal sealed class DecodeCrew : IDisposable
{
    private readonly object _gate = new();
    private readonly ISampleSource _source;
    private readonly Action<SampleReader, int> _read;
    private readonly Thread[] _threads;
    private int _count, _next, _open;
    private Exception? _failure;
    private bool _closed;

    /// <param name="read">Reads one item of the job; called on any of the threads.</param>
    /// <param name="threads">At least 1.</param>
    /// <param name="name">For the threads' names.</param>
    public DecodeCrew(ISampleSource source, Action<SampleReader, int> read, int threads, string name)
    {
        (_source, _read) = (source, read);
        _threads = [.. Enumerable.Range(0, threads).Select(i => new Thread(Work) { IsBackground = true, Name = $"{name} {i}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>Begins items [0, count); the job before must have been waited for.</summary>
    public void Start(int count)
    {
        lock (_gate)
        {
            (_count, _next, _failure) = (count, 0, null);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Returns when every item has been read.</summary>
    /// <exception cref="Exception">What the first failing item threw; the items that nobody had begun are left out then.</exception>
    public void Wait()
    {
        lock (_gate)
        {
            while (_open > 0 || _next < _count) Monitor.Wait(_gate);
            if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void Work()
    {
        SampleReader? reader = null;
        try
        {
            while (Next() is { } item)
            {
                Exception? failure = null;
                try
                {
                    reader ??= _source.Open();
                    _read(reader, item);
                }
#pragma warning disable CA1031 // whatever it is, it belongs to the thread that waits
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failure = e;
                }
                Finish(failure);
            }
        }
        finally
        {
            reader?.Dispose();
        }
    }

    private int? Next()
    {
        lock (_gate)
        {
            while (!_closed && _next >= _count) Monitor.Wait(_gate);
            if (_closed) return null;
            _open++;
            return _next++;
        }
    }

    private void Finish(Exception? failure)
    {
        lock (_gate)
        {
            _open--;
            if (failure is not null)
            {
                _failure ??= failure;
                _next = _count;
            }
            if (_open == 0 && _next >= _count) Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Ends the threads, after the items that they are at.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
        foreach (var thread in _threads) thread.Join();
    }
}
