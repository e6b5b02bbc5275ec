using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Link;

/// <summary>
/// Who else may read a private key. PostgreSQL's rule: the owner alone; a key of root's may be read by a group too, since that is
/// how containers and systems hand a key to a process that is not root (a mounted secret with an fsGroup is root's, mode 0440).
/// </summary>
internal static unsafe partial class KeyRights
{
    private const UnixFileMode Group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const int ByDescriptor = 0x1000, Owner = 0x8;

    /// <summary>The end of a sentence that begins with the key; null: nothing is wrong.</summary>
    public static string? Fault(SafeFileHandle key) => OperatingSystem.IsWindows() ? null : FaultOnUnix(key);

    /// <param name="isRoots">The file is root's, and this process is not.</param>
    public static string? Fault(UnixFileMode mode, bool isRoots) =>
        (mode & (Others | (isRoots ? Group & ~UnixFileMode.GroupRead : Group))) == 0 ? null : "can be read by others than its owner";

    [UnsupportedOSPlatform("windows")]
    private static string? FaultOnUnix(SafeFileHandle key) => Fault(File.GetUnixFileMode(key), IsRoots(key));

    private static bool IsRoots(SafeFileHandle key)
    {
        if (UserId() == 0) return false;
        // struct statx is the same on every architecture; the owner is its sixth number.
        var facts = stackalloc uint[64];
        return Statx(key, "", ByDescriptor, Owner, facts) == 0 && facts[5] == 0;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle folder, string path, int flags, uint mask, uint* facts);
}
