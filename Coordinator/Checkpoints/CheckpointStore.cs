using System.ComponentModel;
using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// The checkpoints of one run: <c>checkpoints/step-NNNNNN/{model.safetensors, optimizer.safetensors, run.json,
/// MANIFEST.json}</c>. Making the object touches nothing. Looking and loading are thread-safe and may go on in other
/// processes; writing, retaining and removing leftovers belong to one thread of the process that owns the run.
/// </summary>
public sealed partial class CheckpointStore
{
    public const string FolderName = "checkpoints";

    private readonly ICheckpointFiles _files;
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);      // by this object: whole without another look

    /// <param name="files">The disk; tests hand in one that fails.</param>
    public CheckpointStore(string runFolder, ICheckpointFiles? files = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        _files = files ?? DiskFiles.Instance;
        Location = Path.Combine(runFolder, FolderName);
    }

    /// <summary>The folder of the checkpoints; it appears with the first one.</summary>
    public string Location { get; }

    /// <summary>For the process that owns the run: removes what dead writers left, then returns the store.</summary>
    public static CheckpointStore OpenForWriting(string runFolder, ICheckpointFiles? files = null)
    {
        var store = new CheckpointStore(runFolder, files);
        store.RemoveLeftovers();
        return store;
    }

    /// <summary>
    /// Writes a checkpoint; when this returns it is on the disk as a whole and survives a power loss. Blocks for as long as
    /// the disk takes: not for the thread pool. A checkpoint of the same step is replaced in one step.
    /// </summary>
    /// <returns>Path of the checkpoint.</returns>
    /// <exception cref="NonFiniteStateException">A NaN or an infinity; nothing was touched.</exception>
    /// <exception cref="CheckpointWriteException">The disk refused (full, read-only, broken); earlier checkpoints are as they were.</exception>
    /// <exception cref="ArgumentException">The pieces do not fit the layout, or the facts no JSON (a NaN) or too long.</exception>
    public string Write(CheckpointContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        var path = new CheckpointWriter(_files, Location).Write(content);
        _written.Add(path);
        return path;
    }

    /// <summary>The newest whole checkpoint that fits, and the newer ones that were passed over, each with the reason. Never throws for what it finds.</summary>
    /// <param name="expected">The model's layout; null takes any.</param>
    public CheckpointSearch FindNewest(ParameterLayout? expected)
    {
        var passedOver = new List<PassedOver>();
        List<(string Path, long Step)> folders;
        try
        {
            folders = StepFolders();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CheckpointSearch(null, [new PassedOver(Location, $"it cannot be read: {Printable.Cause(e)}")]);
        }
        foreach (var (path, _) in folders)
        {
            try
            {
                return new CheckpointSearch(CheckpointInspector.Inspect(path, expected, contents: true).Info, passedOver);
            }
            catch (ClusterException e)
            {
                passedOver.Add(new PassedOver(path, ReasonOf(e)));
            }
        }
        return new CheckpointSearch(null, passedOver);
    }

    /// <summary>The checkpoints whose manifest, run.json and file sizes are in order, newest first. Contents are not hashed.</summary>
    public IReadOnlyList<CheckpointInfo> List() => [.. StepFolders().Select(f => TryInspect(f.Path, contents: false)).OfType<CheckpointInfo>()];

    /// <summary>The checkpoint of one version, if its manifest, run.json and file sizes are in order; null = there is none.</summary>
    public CheckpointInfo? Find(WeightsVersion version) => TryInspect(Path.Combine(Location, CheckpointFormat.FolderOf(version.Value)), contents: false);

    /// <summary>Reads a checkpoint, every byte held against its manifest. The caller disposes the result.</summary>
    /// <exception cref="CheckpointDamagedException">Torn, damaged or hostile.</exception>
    /// <exception cref="StateMismatchException">Of another model: every missing, unexpected and mis-shaped name.</exception>
    /// <exception cref="SafeTensorsException">A file of it is malformed.</exception>
    public static LoadedCheckpoint Load(string path, ParameterLayout layout)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(layout);
        return CheckpointLoader.Load(path, layout);
    }

    /// <summary>
    /// Removes temporary folders whose writer is dead, and half-removed checkpoints. Those of this process that are being
    /// filled, and of other living ones, stay. A folder that cannot be removed is left for the next time.
    /// </summary>
    /// <returns>Paths that were removed.</returns>
    public IReadOnlyList<string> RemoveLeftovers()
    {
        var removed = new List<string>();
        if (!Directory.Exists(Location)) return removed;
        foreach (var path in Directory.EnumerateDirectories(Location, ".step-*").ToList())
        {
            if (!CheckpointFormat.TryParseTemporary(Path.GetFileName(path), out var process) || IsWriterAlive(path, process)) continue;
            try
            {
                _files.DeleteFolder(path);
                removed.Add(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Read-only or broken: writing will say so, with the reason.
            }
        }
        return removed;
    }

    internal static string ReasonOf(ClusterException e) => e switch
    {
        CheckpointDamagedException damaged => damaged.Reason,
        StateMismatchException mismatch => "its layout is not the model's: " + mismatch.Differences,
        _ => e.Message,
    };

    /// <summary>Newest first.</summary>
    private List<(string Path, long Step)> StepFolders()
    {
        var found = new List<(string Path, long Step)>();
        if (!Directory.Exists(Location)) return found;
        foreach (var path in Directory.EnumerateFileSystemEntries(Location, "step-*"))
            if (CheckpointFormat.TryParseFolder(Path.GetFileName(path), out var step)) found.Add((path, step));
        found.Sort(static (a, b) => b.Step.CompareTo(a.Step));
        return found;
    }

    private static CheckpointInfo? TryInspect(string path, bool contents)
    {
        try
        {
            return CheckpointInspector.Inspect(path, expected: null, contents).Info;
        }
        catch (ClusterException)
        {
            return null;
        }
    }

    private static bool IsWriterAlive(string temporary, int process)
    {
        if (process == Environment.ProcessId) return CheckpointWriter.IsInFlight(Path.GetFullPath(temporary));
        try
        {
            using var writer = Process.GetProcessById(process);
            // A process that is younger than the folder only inherited the number, as happens after a restart of a container.
            return writer.StartTime <= Directory.GetLastWriteTime(temporary).AddSeconds(1);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return e is Win32Exception;     // there, but not ours to ask
        }
    }
}
