using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>What a worker or a ps tells the coordinator of itself while it serves: its spans and, once a second, its figures.</summary>
internal sealed class NodeMonitoring : IDisposable
{
    private readonly IDisposable?[] _parts;

    private NodeMonitoring(IDisposable?[] parts) => _parts = parts;

    /// <param name="send">To the coordinator; false when it is away. Any thread, returns at once.</param>
    /// <param name="run">The run's options.</param>
    /// <param name="link">What stands for the present connection: another object after another dial; null while there is none.</param>
    public static NodeMonitoring Start(string runId, string name, RunOptions run, NodeOptions node, Func<object, bool> send, Func<object?> link) =>
        new([SpanSender.Start(send, link), NodeReporter.Start(name, node, send)]);

    public void Dispose()
    {
        // Once: before the link closes, or at the end of the process that never got so far.
        for (var i = 0; i < _parts.Length; i++) Interlocked.Exchange(ref _parts[i], null)?.Dispose();
    }
}
