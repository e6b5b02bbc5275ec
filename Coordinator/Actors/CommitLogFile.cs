using System.Runtime.InteropServices;
using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Coordinator.Actors;

/// <summary>
/// commits.jsonl on disk: append-only, one write(2) per record, so that a record survives the process from the moment
/// the write returns. Space is reserved ahead: a disk that fills up elsewhere does not stop the log at once.
/// </summary>
/// <remarks>Used by the coordinator alone.</remarks>
public sealed partial class CommitLogFile : IDisposable
{
    private const int KeepSize = 1;     // FALLOC_FL_KEEP_SIZE

    private readonly SafeFileHandle _file;
    private long _length;
    private long _reserved;

    private CommitLogFile(SafeFileHandle file, long length)
    {
        _file = file;
        _length = _reserved = length;
        Reserve();
    }

    /// <exception cref="IOException">It exists already, or cannot be created.</exception>
    public static CommitLogFile Create(string path) =>
        new(File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read), 0);

    /// <summary>Goes on with a log; what lies beyond <paramref name="validBytes"/> (a torn last line) is cut.</summary>
    public static CommitLogFile Continue(string path, long validBytes)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        RandomAccess.SetLength(file, validBytes);
        return new CommitLogFile(file, validBytes);
    }

    /// <summary>Appends one whole line, newline included.</summary>
    /// <exception cref="IOException">Disk full or broken; the log is as before, or has a torn last line that opening cuts.</exception>
    public void Append(ReadOnlySpan<byte> line)
    {
        RandomAccess.Write(_file, line, _length);
        _length += line.Length;
        if (_reserved - _length < Limits.CommitLogReserveBytes / 2) Reserve();
    }

    /// <summary>Whether this very file still has the name. Another coordinator gives the name to a copy.</summary>
    public bool IsAt(string path)
    {
        if (!OperatingSystem.IsLinux()) return true;
        // What the open file is called now; "(deleted)" is appended when it has no name left.
        var link = File.ResolveLinkTarget($"/proc/self/fd/{_file.DangerousGetHandle()}", returnFinalTarget: false);
        return link?.FullName == Path.GetFullPath(path);
    }

    /// <summary>Makes everything written so far survive a power loss.</summary>
    public void Flush() => RandomAccess.FlushToDisk(_file);

    private void Reserve()
    {
        if (!OperatingSystem.IsLinux()) return;
        // A file system without fallocate, or a full disk: the reserve is a courtesy, the write itself reports.
        if (Allocate(_file, KeepSize, _length, Limits.CommitLogReserveBytes) == 0) _reserved = _length + Limits.CommitLogReserveBytes;
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);

    public void Dispose()
    {
        if (_file.IsClosed) return;
        RandomAccess.SetLength(_file, _length);     // gives the reserve back
        _file.Dispose();
    }
}
