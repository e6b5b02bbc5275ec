using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Workers.Data.Shards;

/// <summary>Reading without waiting for a disk: preadv2(2) with RWF_NOWAIT, Linux 4.14.</summary>
internal static unsafe partial class PageCache
{
    private const int NoWait = 8, TryAgain = 11, Interrupted = 4;

    private static volatile bool _isMissing;

    [StructLayout(LayoutKind.Sequential)]
    private struct Piece
    {
        public void* Start;
        public nuint Length;
    }

    /// <returns>True: the whole range was in memory and has been copied. Any thread; never blocks on the medium.</returns>
    public static bool TryRead(SafeFileHandle file, long offset, Span<byte> to)
    {
        if (_isMissing) return false;
        try
        {
            fixed (byte* start = to)
            {
                var piece = new Piece { Start = start, Length = (nuint)to.Length };
                var got = Read(file, &piece, 1, offset, NoWait);
                // A file system or a kernel that does not know the flag will not learn it.
                if (got < 0 && Marshal.GetLastPInvokeError() is not (TryAgain or Interrupted)) _isMissing = true;
                return got == to.Length;
            }
        }
        catch (EntryPointNotFoundException)
        {
            _isMissing = true;
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "preadv2", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, Piece* pieces, int count, long offset, int flags);
}
