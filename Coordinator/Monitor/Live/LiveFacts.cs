namespace Cluster.Coordinator.Monitor.Live;

/// <summary>What does not change while a run goes on.</summary>
/// <param name="Description">One line for people: model, data, steps, workers, shards.</param>
/// <param name="Folder">Its name alone: a page tells nobody how a machine's disks are laid out.</param>
/// <param name="TotalSteps">The last step.</param>
public sealed record LiveFacts(string RunId, string Folder, string Description, long TotalSteps, int Samples, int Batch, int Workers, int Shards);

/// <summary>Where a run is.</summary>
public enum LiveState
{
    /// <summary>No step is open: workers come, weights are made.</summary>
    Starting,
    Running,
    Finished,

    /// <summary>Somebody stopped it; it can be resumed.</summary>
    Stopped,
    Failed,
}
