using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// Opens files by the bytes of their path. .NET's own way costs a string and a lock per file, and hangs on a FIFO that
/// somebody put among the images; O_NONBLOCK does not, and means nothing to a regular file.
/// </summary>
internal static partial class PosixFile
{
    public const int NotThere = 2, IoFailed = 5, Denied = 13, NotAFolder = 20, TooManyOpen = 24, NameTooLong = 36, TooManyLinks = 40;

    private const int ReadOnly = 0, NonBlocking = 0x800, CloseOnExec = 0x80000;

    /// <param name="path">Ends with a zero byte.</param>
    /// <param name="error">errno where the handle is invalid, else 0.</param>
    /// <returns>The caller disposes it.</returns>
    public static SafeFileHandle Open(ReadOnlySpan<byte> path, out int error)
    {
        if (path.IsEmpty || path[^1] != 0) throw new ArgumentException("a path for the system ends with a zero byte", nameof(path));
        var descriptor = NativeOpen(in MemoryMarshal.GetReference(path), ReadOnly | NonBlocking | CloseOnExec);
        error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    public static bool IsFolder(SafeFileHandle handle) => (File.GetAttributes(handle) & FileAttributes.Directory) != 0;

    /// <summary>Time of the last change of a file or folder, through links, in UTC ticks; 0 when it cannot be told.</summary>
    public static long ChangedAt(string path)
    {
        using var handle = Open(Zeroed(path), out var error);
        return error == 0 ? File.GetLastWriteTimeUtc(handle).Ticks : 0;
    }

    /// <summary>The path without links and dots; null when it leads nowhere.</summary>
    public static unsafe string? RealPath(string path)
    {
        var found = NativeRealPath(in MemoryMarshal.GetReference(Zeroed(path).AsSpan()), null);
        if (found is null) return null;
        var text = Marshal.PtrToStringUTF8((nint)found);
        NativeMemory.Free(found);
        return text;
    }

    /// <summary>What went wrong, for a person; no full stop.</summary>
    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error).ToLowerInvariant();

    private static byte[] Zeroed(string path) => Encoding.UTF8.GetBytes(path + '\0');

    [LibraryImport("libc", EntryPoint = "realpath")]
    private static unsafe partial byte* NativeRealPath(in byte path, byte* resolved);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int NativeOpen(in byte path, int flags);
}
