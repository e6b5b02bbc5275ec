using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

public sealed partial class CheckpointStore
{
    /// <summary>
    /// Removes old checkpoints: all but the last <paramref name="keepLast"/> and the best <paramref name="keepBest"/> by
    /// <c>test_accuracy</c> (of equals, the newer), and <paramref name="pinned"/>. The newest whole one always stays, and so does what is newer and
    /// damaged: it is evidence. Each goes by a rename first, so that none is ever half there.
    /// </summary>
    /// <param name="keepLast">At least 1.</param>
    /// <param name="keepBest">At least 0; checkpoints without a test accuracy are not ranked.</param>
    /// <param name="pinned">A version whose checkpoint stays; null = none.</param>
    /// <returns>Paths that were removed.</returns>
    /// <exception cref="ClusterException">One could not be removed.</exception>
    public IReadOnlyList<string> Retain(int keepLast, int keepBest, WeightsVersion? pinned = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keepLast, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(keepBest);
        var newest = List().FirstOrDefault(c => _written.Contains(c.Path) || TryInspect(c.Path, contents: true) is not null);
        if (newest is null) return [];      // nothing that is known to be good: nothing may go

        var usable = List().Where(c => c.Version <= newest.Version).ToList();
        var kept = usable.Take(keepLast)
            .Concat(usable.Where(static c => c.TestAccuracy is not null).OrderByDescending(static c => c.TestAccuracy).ThenByDescending(static c => c.Version).Take(keepBest))
            .Select(static c => c.Path)
            .ToHashSet(StringComparer.Ordinal);
        var removed = new List<string>();
        foreach (var (path, step) in StepFolders())
        {
            if (step >= newest.Version.Value || step == pinned?.Value || kept.Contains(path)) continue;
            Remove(path, step);
            removed.Add(path);
        }
        return removed;
    }

    private void Remove(string path, long step)
    {
        var outgoing = Path.Combine(Location, CheckpointFormat.TemporaryOf(step, Environment.ProcessId));
        try
        {
            if (Path.Exists(outgoing)) _files.DeleteFolder(outgoing);
            _files.Move(path, outgoing);
            _files.DeleteFolder(outgoing);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"the old checkpoint {path} could not be removed: {Printable.Cause(e)}; remove it by hand", e);
        }
    }
}
