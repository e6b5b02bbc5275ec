namespace Cluster.Cli.Bench.Update;

/// <summary>A thread beside the caller's, as a second shard has one. Waits between runs without using the processor.</summary>
internal sealed class SecondThread : IDisposable
{
    private readonly SemaphoreSlim _begin = new(0), _done = new(0);
    private readonly Thread _thread;
    private Action? _action;

    public SecondThread()
    {
        _thread = new Thread(Serve) { IsBackground = true, Name = "second shard" };
        _thread.Start();
    }

    /// <summary>Returns when both are through.</summary>
    public void RunBoth(Action here, Action there)
    {
        _action = there;
        _begin.Release();
        here();
        _done.Wait();
    }

    public void Dispose()
    {
        _action = null;
        _begin.Release();
        _thread.Join();
        _begin.Dispose();
        _done.Dispose();
    }

    private void Serve()
    {
        while (true)
        {
            _begin.Wait();
            if (_action is not { } action) return;
            action();
            _done.Release();
        }
    }
}
