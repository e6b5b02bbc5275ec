using System.Runtime.InteropServices;

namespace Cluster.Link;

/// <summary>
/// Which file a Unix socket has: device and inode, so that a process that ends removes its own socket and never that of a
/// successor at the same path. The kernel keeps the inode while the socket is open, so its number is nobody else's. statx(2).
/// </summary>
internal readonly partial record struct SocketFile(uint DeviceMajor, uint DeviceMinor, ulong Inode)
{
    private const int CurrentFolder = -100;         // AT_FDCWD
    private const int DoNotFollow = 0x100;          // AT_SYMLINK_NOFOLLOW
    private const uint InodeWanted = 0x100;         // STATX_INO

    /// <summary>struct statx, the same on every Linux: 256 bytes, of which only these are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    /// <summary>The file at a path; null when there is none, or the system cannot tell.</summary>
    public static unsafe SocketFile? At(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        Status status;
        return StatX(CurrentFolder, path, DoNotFollow, InodeWanted, &status) == 0 ? new SocketFile(status.DeviceMajor, status.DeviceMinor, status.Inode) : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint wanted, Status* status);
}
