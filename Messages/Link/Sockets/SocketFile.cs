using System.Runtime.InteropServices;

namespace Cluster.Link;

/// <summary>
/// Which file a Unix socket has: device, inode and time of making, so that a process that ends removes its own socket and never
/// that of a successor at the same path. An inode's number may be given again and a file system's clock stand still for milliseconds,
/// so a file that looks the same is asked as well (<see cref="SocketListener"/>). statx(2).
/// </summary>
internal readonly partial record struct SocketFile(uint DeviceMajor, uint DeviceMinor, ulong Inode, long Seconds, uint Nanoseconds)
{
    private const int CurrentFolder = -100;         // AT_FDCWD
    private const int DoNotFollow = 0x100;          // AT_SYMLINK_NOFOLLOW
    private const uint Wanted = 0x100 | 0x40;       // STATX_INO, STATX_MTIME: binding makes the file, and nothing writes to it

    /// <summary>struct statx, the same on every Linux: 256 bytes, of which only these are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(112)] public long Seconds;
        [FieldOffset(120)] public uint Nanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    /// <summary>The file at a path; null when there is none, or the system cannot tell.</summary>
    public static unsafe SocketFile? At(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        Status status;
        return StatX(CurrentFolder, path, DoNotFollow, Wanted, &status) == 0
            ? new SocketFile(status.DeviceMajor, status.DeviceMinor, status.Inode, status.Seconds, status.Nanoseconds)
            : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint wanted, Status* status);
}
