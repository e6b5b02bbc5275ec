using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Cluster.Coordinator.Monitor;

/// <summary>
/// A file opened with O_APPEND: every write lands whole behind what any process has written before (open(2), write(2)).
/// .NET's FileMode.Append remembers a position instead, and two processes would write over one another. Not thread-safe.
/// </summary>
public sealed partial class AppendingFile : IDisposable
{
    private const int WriteOnly = 1, ReadableByAll = 0x1A4;      // 0644

    private static int Flags => OperatingSystem.IsMacOS()
        ? WriteOnly | 0x8 | 0x200 | 0x100_0000       // O_APPEND, O_CREAT, O_CLOEXEC
        : WriteOnly | 0x400 | 0x40 | 0x8_0000;

    private int _file;

    private AppendingFile(int file) => _file = file;

    /// <summary>Makes the file if it is not there.</summary>
    /// <exception cref="IOException">The system refuses.</exception>
    public static AppendingFile Open(string path)
    {
        var file = OpenFile(path, Flags, ReadableByAll);
        return file >= 0 ? new AppendingFile(file) : throw Failed(path);
    }

    /// <summary>One write(2).</summary>
    /// <returns>Whether the disk took all of it; a full one may take a part.</returns>
    /// <exception cref="IOException">It took nothing.</exception>
    public unsafe bool Write(ReadOnlySpan<byte> bytes)
    {
        const int Interrupted = 4;
        nint written;
        fixed (byte* start = bytes)
            while ((written = WriteFile(_file, start, bytes.Length)) < 0 && Marshal.GetLastPInvokeError() == Interrupted) { }
        return written >= 0 ? written == bytes.Length : throw Failed("write");
    }

    public void Dispose()
    {
        if (_file >= 0) _ = CloseFile(_file);
        _file = -1;
    }

    private static IOException Failed(string what) => new($"{what}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint WriteFile(int file, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseFile(int file);
}
