using System.Runtime.InteropServices;

namespace Cluster.Link;

/// <summary>Anonymous files and their mappings. Linux, 64-bit; memfd_create(2), mmap(2), madvise(2), fcntl(2) for the seals.</summary>
internal static unsafe partial class MemoryCalls
{
    public const uint CloseOnExec = 1, AllowSealing = 2;
    public const int ProtectRead = 1, ProtectWrite = 2, MapShared = 1;
    public const int HugePages = 14, PopulateRead = 22, PopulateWrite = 23;
    public const int AddSeals = 1033, GetSeals = 1034;

    /// <summary>No more seals, never shorter, never longer.</summary>
    public const int SealSeal = 1, SealShrink = 2, SealGrow = 4, Seals = SealSeal | SealShrink | SealGrow;

    /// <summary>No new mapping for writing; those that exist stay.</summary>
    public const int FutureWrite = 0x10;
    public const int EINVAL = 22;

    public static readonly void* MapFailed = (void*)-1;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Create(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeHandle file, long bytes);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int ReserveBlocks(SafeHandle file, int mode, long offset, long bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial void* Map(void* address, nuint bytes, int protection, int flags, SafeHandle file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(void* address, nuint bytes);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(void* address, nuint bytes, int advice);
}
