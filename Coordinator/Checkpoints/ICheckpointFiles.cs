namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// Everything that writing and removing checkpoints asks of the disk, call by call: tests count, refuse, tear and kill
/// here, the code above is the same. Errors are IOException and UnauthorizedAccessException, as the file system raises them.
/// </summary>
public interface ICheckpointFiles
{
    void CreateFolder(string path);

    /// <summary>Makes a new file; it must not exist.</summary>
    ICheckpointFile CreateFile(string path);

    /// <summary>Makes the folder's entries survive a power loss.</summary>
    void FlushFolder(string path);

    /// <summary>Renames a folder in one step; nothing may exist at <paramref name="to"/>.</summary>
    void Move(string from, string to);

    /// <summary>Swaps two folders' names in one step. False when the file system cannot.</summary>
    bool TryExchange(string first, string second);

    /// <summary>Removes a folder with all in it.</summary>
    void DeleteFolder(string path);
}

/// <summary>A file that is being written.</summary>
public interface ICheckpointFile : IDisposable
{
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Makes what was written survive a power loss.</summary>
    void Flush();
}
