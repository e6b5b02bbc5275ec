using Cluster.Contracts;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>
/// What a node has to tell for events.jsonl: printed at once, sent to the coordinator, and kept for it while it is away.
/// Any thread.
/// </summary>
/// <param name="name">This node's; it may get it late.</param>
/// <param name="peer">The coordinator's process while it is connected.</param>
internal sealed class NodeNews(Func<string> name, Func<RemotePeer?> peer)
{
    private readonly Queue<ProcessEvent> _kept = new();

    /// <param name="kind">One of <see cref="Configuration.EventKinds.OfNodes"/>.</param>
    public void Happened(string kind, string sentence)
    {
        Console.Error.WriteLine(sentence);
        lock (_kept)
        {
            // What does not fit has been printed.
            if (_kept.Count < Limits.KeptNodeNews) _kept.Enqueue(new ProcessEvent(kind, name(), sentence, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        }
        Flush();
    }

    /// <summary>The other end of a link sent what its role may not send; the link ends.</summary>
    public void MessageRefused(RemotePeer from, string sentence) => Happened(NodeRegistry.RefusedMessage, $"{sentence}: the link is closed.");

    /// <summary>The coordinator is (again) there.</summary>
    public void Flush()
    {
        lock (_kept)
            while (_kept.TryPeek(out var next) && peer() is { } coordinator && coordinator.Send(next)) _kept.Dequeue();
    }
}
