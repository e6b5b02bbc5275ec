using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>The real disk.</summary>
public sealed partial class DiskFiles : ICheckpointFiles
{
    private const int CloseOnExec = 0x80000;        // O_CLOEXEC; read-only is 0
    private const int CurrentFolder = -100;         // AT_FDCWD
    private const uint Exchange = 2;                // RENAME_EXCHANGE
    private const int InvalidArgument = 22, NotImplemented = 38, NotSupported = 95;     // EINVAL, ENOSYS, EOPNOTSUPP

    public static readonly DiskFiles Instance = new();

    private DiskFiles() { }

    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    public ICheckpointFile CreateFile(string path) => new DiskFile(File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read));

    /// <remarks>.NET opens no folders, so this asks libc. Elsewhere than on Linux it does nothing.</remarks>
    public void FlushFolder(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        using var folder = Open(path, CloseOnExec);
        if (folder.IsInvalid) throw Error(path);
        // EINVAL: a file system without anything to flush for folders.
        if (FSync(folder) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Error(path);
    }

    public void Move(string from, string to) => Directory.Move(from, to);

    public bool TryExchange(string first, string second)
    {
        if (!OperatingSystem.IsLinux()) return false;
        if (RenameAt2(CurrentFolder, first, CurrentFolder, second, Exchange) == 0) return true;
        return Marshal.GetLastPInvokeError() is InvalidArgument or NotImplemented or NotSupported ? false : throw Error(second);
    }

    public void DeleteFolder(string path) => Directory.Delete(path, recursive: true);

    private static IOException Error(string path) => new($"{Marshal.GetLastPInvokeErrorMessage()} : '{path}'");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int firstFolder, string first, int secondFolder, string second, uint flags);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long length, uint flags);

    private sealed class DiskFile(SafeFileHandle file) : ICheckpointFile
    {
        private const int AheadBytes = 1 << 23;
        private const uint StartWriting = 2;        // SYNC_FILE_RANGE_WRITE

        private long _length;
        private long _started;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(file, bytes, _length);
            _length += bytes.Length;
            if (_length - _started >= AheadBytes) StartWriteback();
        }

        /// <summary>Lets the disk work while the next bytes are hashed. A hint: the flush is what counts, and reports errors.</summary>
        private void StartWriteback()
        {
            if (OperatingSystem.IsLinux()) _ = SyncFileRange(file, _started, _length - _started, StartWriting);
            _started = _length;
        }

        public void Flush() => RandomAccess.FlushToDisk(file);

        public void Dispose() => file.Dispose();
    }
}
