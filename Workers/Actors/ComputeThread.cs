using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Workers.Actors;

/// <summary>
/// The one thread on which a device computes. Native compute never runs on the thread pool: it would starve the
/// timers and mailboxes of the whole process. Jobs run in order; a job that throws reports through its own handler.
/// </summary>
public sealed class ComputeThread : IDisposable
{
    private static readonly KeyValuePair<string, object?> Queue = new(ClusterTelemetry.Tags.Queue, "compute");

    private readonly BlockingCollection<Action> _jobs = [];
    private readonly Thread _thread;

    public ComputeThread(string name)
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Queues a job. Thread-safe.</summary>
    public void Post(Action job)
    {
        _jobs.Add(job);
        ClusterTelemetry.QueueDepth.Add(1, Queue);
    }

    private void Run()
    {
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            ClusterTelemetry.QueueDepth.Add(-1, Queue);
            job();
        }
    }

    /// <summary>Lets queued jobs finish, then ends the thread.</summary>
    public void Dispose()
    {
        if (_jobs.IsAddingCompleted) return;
        _jobs.CompleteAdding();
        if (Thread.CurrentThread != _thread) _thread.Join();
        _jobs.Dispose();
    }
}
