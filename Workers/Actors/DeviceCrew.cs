using System.Runtime.ExceptionServices;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Workers.Actors;

/// <summary>One device of a worker, and what it computes with. Used on its own thread alone.</summary>
/// <param name="index">From 0, among the worker's.</param>
/// <param name="evaluation">Null when there is no test split.</param>
internal sealed class WorkerDevice(int index, IGradientEngine engine, EvaluationBatches? evaluation) : IDisposable
{
    private readonly float[] _logits = new float[(evaluation?.BatchSize ?? 0) * engine.ClassCount];

    public int Index => index;

    public IGradientEngine Engine => engine;

    public EvaluationBatches? Evaluation => evaluation;

    /// <summary>Room for the logits of a test batch.</summary>
    /// <param name="count">Images of the batch.</param>
    public Span<float> Logits(int count) => _logits.AsSpan(0, count * engine.ClassCount);

    public void Dispose()
    {
        evaluation?.Dispose();
        engine.Dispose();
    }
}

/// <summary>
/// The devices of one worker, each with a thread of its own: libtorch's settings are a thread's. The first one's thread is the
/// worker's compute thread, on which everything here is called; with one device there is no other.
/// </summary>
internal sealed class DeviceCrew : IDisposable
{
    private readonly WorkerDevice?[] _devices;
    private readonly ComputeThread[] _threads;

    /// <param name="open">Opens the device of this number; called on its thread, of all devices at once.</param>
    public DeviceCrew(string name, int count, Func<int, WorkerDevice> open)
    {
        _devices = new WorkerDevice[count];
        _threads = [.. Enumerable.Range(1, count - 1).Select(i => new ComputeThread($"{name} device {i}"))];
        try
        {
            OnEach(i => _devices[i] = open(i));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Count => _devices.Length;

    public WorkerDevice First => _devices[0]!;

    /// <summary>Has every device do this at once; returns when all are done.</summary>
    /// <exception cref="Exception">What the first of the devices threw that threw something; the others came to their end all the same.</exception>
    public void Each(Action<WorkerDevice> job) => OnEach(i => job(_devices[i]!));

    private void OnEach(Action<int> job)
    {
        if (_devices.Length == 1)
        {
            job(0);
            return;
        }
        var failures = new Exception?[_devices.Length];
        using var others = new CountdownEvent(_threads.Length);
        for (var i = 1; i < _devices.Length; i++)
        {
            var device = i;
            _threads[i - 1].Post(() =>
            {
                Try(device);
                others.Signal();
            });
        }
        Try(0);
        others.Wait();
        if (Array.Find(failures, static f => f is not null) is { } failure) ExceptionDispatchInfo.Throw(failure);

        void Try(int device)
        {
            try
            {
                job(device);
            }
#pragma warning disable CA1031 // whatever it is, it belongs to the thread that waits
            catch (Exception e)
#pragma warning restore CA1031
            {
                failures[device] = e;
            }
        }
    }

    public void Dispose()
    {
        OnEach(i => _devices[i]?.Dispose());
        foreach (var thread in _threads) thread.Dispose();
    }
}
