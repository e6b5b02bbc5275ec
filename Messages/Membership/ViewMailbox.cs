using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>The one thread of an engine: runs what is posted, in order, and calls listeners with new views.</summary>
internal sealed class ViewMailbox : IDisposable
{
    private readonly BlockingCollection<Action> _posted = [];
    private readonly List<Action<MembershipView>> _listeners = [];
    private readonly Thread _thread;
    private MembershipView _view;

    public ViewMailbox(string name, MembershipView first)
    {
        _view = first;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public MembershipView View => Volatile.Read(ref _view);

    /// <summary>Any thread. After the end it does nothing.</summary>
    public void Post(Action action)
    {
        try
        {
            _posted.Add(action);
        }
        catch (InvalidOperationException)
        {
            // Late notices of links that close with the engine.
        }
    }

    public IDisposable Subscribe(Action<MembershipView> listener)
    {
        Post(() =>
        {
            _listeners.Add(listener);
            listener(View);
        });
        return new Subscription(() => Post(() => _listeners.Remove(listener)));
    }

    /// <summary>The mailbox' thread alone.</summary>
    public void Show(MembershipView view)
    {
        Volatile.Write(ref _view, view);
        foreach (var listener in _listeners.ToArray()) listener(view);
    }

    /// <summary>What was posted before is still run. Waits for it, unless called from a listener.</summary>
    public void Dispose()
    {
        _posted.CompleteAdding();
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Run()
    {
        foreach (var action in _posted.GetConsumingEnumerable()) action();
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        private Action? _end = end;

        public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
    }
}
