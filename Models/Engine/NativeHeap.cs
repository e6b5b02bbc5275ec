using System.Runtime.InteropServices;

namespace Cluster.Engine;

/// <summary>
/// Keeps the C library from giving freed activations back to the system. glibc trims its heaps by default, so each leaf
/// would get zeroed pages anew: measured with small-cnn, batch 64, 8,000 to 10,000 page faults and some 8 % of the CPU time
/// per leaf, against about 20 faults with these settings. https://man7.org/linux/man-pages/man3/mallopt.3.html
/// </summary>
internal static partial class NativeHeap
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;     // M_* of malloc.h

    /// <summary>glibc's own upper bound; larger blocks are mapped and unmapped each time.</summary>
    private const int LargestHeapBlock = 32 << 20;

    /// <summary>Size of a heap of any thread but the first: with this much padding an emptied one is kept too. Untouched padding takes no memory.</summary>
    private const int ThreadHeap = 64 << 20;

    private static readonly Lazy<bool> Kept = new(SetUp);

    /// <summary>For the whole process and from now on. False where the C library has no such setting.</summary>
    public static bool KeepFreedMemory() => Kept.Value;

    private static bool SetUp()
    {
        try
        {
            return mallopt(TrimThreshold, int.MaxValue) != 0 && mallopt(MmapThreshold, LargestHeapBlock) != 0 && mallopt(TopPad, ThreadHeap) != 0;
        }
        catch (Exception missing) when (missing is EntryPointNotFoundException or DllNotFoundException)
        {
            return false;   // not glibc: slower at worst
        }
    }

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);
}
