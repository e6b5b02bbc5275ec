using System.Buffers;
using System.Globalization;

namespace Cluster.Coordinator.Monitor.TensorBoard;

/// <summary>
/// An event file that grows: records gather in memory and go to disk together. A disk that refuses is told once; what a
/// full disk took only a part of is cut, so that the file always ends with a whole record, and is tried again later.
/// The file is made with its first record.
/// </summary>
/// <remarks>Not thread-safe. Dispose writes the rest.</remarks>
public sealed class EventFile : IDisposable
{
    /// <summary>Bytes that wait for a full disk, some ten thousand steps; what comes beyond is dropped and counted.</summary>
    private const int MaxWaiting = 4 << 20;

    private readonly string _folder, _host;
    private readonly TimeProvider _time;
    private readonly Action<string> _say;
    private readonly Func<string, Stream> _open;
    private readonly ArrayBufferWriter<byte> _waiting = new(1 << 14);
    private Stream? _file;
    private long _length;
    private bool _isTold, _isGivenUp;

    /// <param name="folder">Made when needed.</param>
    /// <param name="host">This machine's name, a part of the file's.</param>
    /// <param name="say">Gets a sentence when the disk refuses, once.</param>
    /// <param name="open">Makes a new file for writing, unbuffered; null = on disk.</param>
    public EventFile(string folder, string host, TimeProvider time, Action<string> say, Func<string, Stream>? open = null)
    {
        _folder = folder;
        _host = host;
        _time = time;
        _say = say;
        _open = open ?? (static path => new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0));
    }

    /// <summary>Records that were thrown away for want of room.</summary>
    public long Dropped { get; private set; }

    /// <summary>Bytes that wait to be written.</summary>
    public int Waiting => _waiting.WrittenCount;

    /// <summary>Where the next record goes, which is on disk after the next <see cref="Flush"/>; null when there is no room for it, and then it is counted as dropped.</summary>
    public ArrayBufferWriter<byte>? Next()
    {
        if (!_isGivenUp && _waiting.WrittenCount < MaxWaiting) return _waiting;
        Dropped++;
        return null;
    }

    /// <summary>Writes what has gathered. Never throws for the disk's sake.</summary>
    public void Flush()
    {
        if (_isGivenUp || _waiting.WrittenCount == 0) return;
        try
        {
            _file ??= Create();
            if (_length == 0) Begin(_file);
            _file.Write(_waiting.WrittenSpan);
            _length += _waiting.WrittenCount;
            _waiting.Clear();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refused(e);
        }
    }

    private Stream Create()
    {
        Directory.CreateDirectory(_folder);
        var name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{_time.GetUtcNow().ToUnixTimeSeconds():D10}.{_host}");
        // TensorBoard reads the files of a folder in the order of their names: a second one of the same second comes after the first.
        for (var copy = 0; ; copy++)
        {
            var path = Path.Combine(_folder, copy == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}.{copy}"));
            if (!File.Exists(path)) return _open(path);
        }
    }

    private void Begin(Stream file)
    {
        var first = new ArrayBufferWriter<byte>(64);
        EventRecord.WriteVersion(first, _time.GetUtcNow());
        file.Write(first.WrittenSpan);
        _length = first.WrittenCount;
    }

    private void Refused(Exception reason)
    {
        if (!_isTold) _say($"TensorBoard files cannot be written: {reason.Message.ReplaceLineEndings(" ")} Training goes on; commits.jsonl holds the same figures.");
        _isTold = true;
        if (_file is null) return;      // tried again
        try
        {
            _file.SetLength(_length);
            _file.Position = _length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // How the file ends is not known: nothing may be put behind that.
            _isGivenUp = true;
            _waiting.Clear();
        }
    }

    public void Dispose()
    {
        Flush();
        _file?.Dispose();
        _file = null;
        _isGivenUp = true;
        if (Dropped > 0) _say($"{Dropped} records of the TensorBoard files were dropped for want of room.");
    }
}
