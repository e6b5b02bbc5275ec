using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>
/// traces.jsonl of a run's folder, for appending: two segments of bounded size, the older one (traces.1.jsonl) is let go
/// of when the newer one is full. Never throws for the disk's sake. Not thread-safe.
/// </summary>
public sealed class TraceFile : IDisposable
{
    public const string Name = "traces.jsonl", OlderName = "traces.1.jsonl";

    private readonly string _folder;
    private readonly long _maxBytes;
    private readonly Action<string> _warn;
    private AppendingFile? _file;
    private long _bytes;
    private bool _isTorn;
    private bool _warned;

    /// <param name="maxBytes">Of each of the two segments.</param>
    /// <param name="warn">Told once that spans are lost, and why.</param>
    private TraceFile(string folder, long maxBytes, Action<string> warn) => (_folder, _maxBytes, _warn) = (folder, maxBytes, warn);

    /// <summary>Bytes of lines that the disk refused.</summary>
    public long RefusedBytes { get; private set; }

    /// <summary>Segments that were let go of for want of room.</summary>
    public int DroppedSegments { get; private set; }

    /// <summary>Cuts a last line that a killed process has left half written.</summary>
    public static TraceFile Open(string folder, Action<string> warn, long maxBytes = Limits.TraceSegmentBytes)
    {
        ArgumentNullException.ThrowIfNull(warn);
        var file = new TraceFile(folder, maxBytes, warn);
        try
        {
            file._bytes = CutTornLine(Path.Combine(folder, Name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file.Warn(e.Message);
        }
        return file;
    }

    /// <returns>The file's length from now on; 0 when there is none.</returns>
    private static long CutTornLine(string path)
    {
        if (!File.Exists(path)) return 0;
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var buffer = new byte[64 * 1024];
        for (var end = file.Length; end > 0;)
        {
            var start = Math.Max(0, end - buffer.Length);
            var part = buffer.AsSpan(0, (int)(end - start));
            file.Position = start;
            file.ReadExactly(part);
            var newline = part.LastIndexOf((byte)'\n');
            if (newline >= 0 || start == 0)
            {
                var whole = newline < 0 ? 0 : start + newline + 1;
                if (whole < file.Length) file.SetLength(whole);
                return whole;
            }
            end = start;
        }
        return 0;
    }

    /// <param name="lines">Whole ones.</param>
    public void Append(ReadOnlySpan<byte> lines)
    {
        if (lines.IsEmpty) return;
        try
        {
            if (_bytes > 0 && _bytes + lines.Length > _maxBytes) Turn();
            _file ??= AppendingFile.Open(Path.Combine(_folder, Name));
            // After a line that the disk took only a part of, the next one begins on a line of its own.
            if (_isTorn && _file.Write("\n"u8)) _isTorn = false;
            if (_file.Write(lines))
            {
                _bytes += lines.Length;
                return;
            }
            _isTorn = true;
            Lost(lines.Length, "the disk is full");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Lost(lines.Length, e.Message);
        }
    }

    private void Turn()
    {
        _file?.Dispose();
        _file = null;
        var older = Path.Combine(_folder, OlderName);
        if (File.Exists(older)) DroppedSegments++;
        File.Move(Path.Combine(_folder, Name), older, overwrite: true);
        _bytes = 0;
        _isTorn = false;
    }

    private void Lost(int bytes, string why)
    {
        RefusedBytes += bytes;
        Warn(why);
    }

    private void Warn(string why)
    {
        if (_warned) return;
        _warned = true;
        _warn($"Spans are lost: {Path.Combine(_folder, Name)} cannot be written ({why.ReplaceLineEndings(" ")}). Training goes on.");
    }

    public void Dispose() => _file?.Dispose();
}
