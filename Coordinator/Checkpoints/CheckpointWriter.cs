using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// Writes one checkpoint so that it is there as a whole or not at all: a temporary folder beside its place, every file
/// flushed, the manifest last, the folder flushed, one rename, the parent flushed.
/// </summary>
internal sealed class CheckpointWriter(ICheckpointFiles files, string store)
{
    /// <summary>Temporary folders that this process is filling: not leftovers.</summary>
    private static readonly ConcurrentDictionary<string, bool> InFlight = new(StringComparer.Ordinal);

    public static bool IsInFlight(string temporary) => InFlight.ContainsKey(temporary);

    /// <returns>Path of the checkpoint.</returns>
    public string Write(CheckpointContent content)
    {
        ThrowIfInconsistent(content);
        StateTensors.ThrowIfNotFinite(content);
        var step = content.Version.Value;
        var run = new RunPosition(step, content.AppliedSteps, content.Layout.Hash, content.Facts).ToJson();
        if (run.Length > CheckpointFormat.MaxRunBytes) throw new ArgumentException($"{CheckpointFormat.RunName} would have {run.Length} bytes, the limit is {CheckpointFormat.MaxRunBytes}");
        var target = Path.Combine(store, CheckpointFormat.FolderOf(step));
        var temporary = Path.GetFullPath(Path.Combine(store, CheckpointFormat.TemporaryOf(step, Environment.ProcessId)));
        if (!InFlight.TryAdd(temporary, true)) throw new InvalidOperationException($"the checkpoint of step {step} is being written already");
        try
        {
            MakeStore();
            if (Directory.Exists(temporary)) files.DeleteFolder(temporary);      // an earlier try of this process
            files.CreateFolder(temporary);
            Fill(temporary, content, run);
            Publish(temporary, target, step);
            return target;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw new CheckpointWriteException(target, e);
        }
        finally
        {
            InFlight.TryRemove(temporary, out _);
        }
    }

    private void MakeStore()
    {
        if (Directory.Exists(store)) return;
        files.CreateFolder(store);
        files.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(store))!);
    }

    private void Fill(string temporary, CheckpointContent content, byte[] run)
    {
        (string Name, Action<ByteSink> Write)[] parts =
        [
            (CheckpointFormat.ModelName, sink => StateTensors.WriteModel(sink, content.Layout, content.Weights, content.Counter)),
            (CheckpointFormat.OptimizerName, sink => StateTensors.WriteOptimizer(sink, content.Layout, content.Slots)),
            (CheckpointFormat.RunName, sink => sink(run)),
        ];
        // The same bytes are made twice, for the hash and for the disk: the two then work side by side, without a copy.
        var hashing = Task.Factory.StartNew(
            () => Array.ConvertAll(parts, static part => HashOf(part.Write)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var open = new List<GatheringFile>();
        try
        {
            foreach (var (name, write) in parts) Add(name, write);
            // Only now: the disk works on one file while the next is handed over.
            foreach (var file in open) file.Flush();
            var hashes = hashing.GetAwaiter().GetResult();
            var written = parts.Select((part, i) => new ManifestFile(part.Name, open[i].Length, hashes[i])).ToList();
            var manifest = new CheckpointManifest(content.Version.Value, content.Layout.Hash, written).ToJson();
            Add(CheckpointFormat.ManifestName, sink => sink(manifest));
            open[^1].Flush();
        }
        finally
        {
            foreach (var file in open) file.Dispose();
            Task.WaitAny(hashing);      // it reads the caller's buffers
        }
        files.FlushFolder(temporary);

        void Add(string name, Action<ByteSink> write)
        {
            var file = new GatheringFile(files.CreateFile(Path.Combine(temporary, name)));
            open.Add(file);
            write(file.Append);
            file.Spill();
        }
    }

    /// <summary>SHA-256 in lower-case hex.</summary>
    private static string HashOf(Action<ByteSink> write)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        write(sha.AppendData);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    /// <summary>
    /// Gives the full folder its name. A checkpoint of that step may be there: a damaged one, or one that the run comes to
    /// again after a restore. The two swap names in one step; on a file system that cannot swap, a whole one stays (a step's
    /// state follows from the configuration) and a damaged one makes room.
    /// </summary>
    private void Publish(string temporary, string target, long step)
    {
        if (!Path.Exists(target))
        {
            files.Move(temporary, target);
        }
        else
        {
            if (!files.TryExchange(temporary, target) && !IsWhole(target))
            {
                files.DeleteFolder(target);
                files.Move(temporary, target);
            }
            if (Path.Exists(temporary)) files.DeleteFolder(temporary);
        }
        files.FlushFolder(store);
    }

    private static bool IsWhole(string folder)
    {
        try
        {
            CheckpointInspector.Inspect(folder, expected: null, contents: true);
            return true;
        }
        catch (ClusterException)
        {
            return false;
        }
    }

    private void TryDelete(string temporary)
    {
        try
        {
            if (Directory.Exists(temporary)) files.DeleteFolder(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk that refused the checkpoint refuses this too: the next writer removes what is left.
        }
    }

    private static void ThrowIfInconsistent(CheckpointContent content)
    {
        if (content.Weights.Length != content.Layout.StateFloats)
            throw new ArgumentException($"the weights have {content.Weights.Length} floats, the layout {content.Layout.StateFloats}");
        if (content.Version.Value < 0 || content.AppliedSteps < 0 || content.AppliedSteps > content.Version.Value)
            throw new ArgumentException($"{content.AppliedSteps} applied steps at version {content.Version}");
        foreach (var (slot, pieces) in content.Slots)
        {
            if (!CheckpointFormat.IsSlotName(slot)) throw new ArgumentException($"'{slot}' is not a slot's name: lower-case letters, digits and underscores");
            var length = StateSlots.LengthOf(slot, content.Layout);
            if (pieces.Length != length) throw new ArgumentException($"slot {slot} has {pieces.Length} floats, what it covers {length}");
        }
    }
}
