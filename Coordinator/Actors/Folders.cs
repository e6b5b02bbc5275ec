using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Coordinator.Actors;

/// <summary>What .NET does not offer for folders.</summary>
internal static partial class Folders
{
    private const int CloseOnExec = 0x80000;    // O_CLOEXEC, with O_RDONLY
    private const int InvalidArgument = 22;

    /// <summary>Makes the folder's names survive a power loss: a renamed file is else still found under its old name. Does nothing elsewhere than on Linux.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Flush(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        using var folder = Open(path, CloseOnExec);
        // EINVAL: a file system without anything to flush for folders.
        if (folder.IsInvalid || (Sync(folder) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument))
            throw new IOException($"{path} cannot be flushed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);
}
