using System.Security.Cryptography;

namespace Cluster.Workers.Data.Cifar.Fetch;

/// <summary>
/// Writes one batch file beside its place and moves it there only when size and MD5 are right and the bytes are on disk.
/// Without <see cref="Commit"/> nothing stays. One thread.
/// </summary>
internal sealed class BatchFileWriter : IDisposable
{
    private readonly BatchFile _file;
    private readonly string _path, _temporary;
    private readonly FileStream _stream;
    private readonly IncrementalHash _md5;
    private bool _committed;

    public BatchFileWriter(string directory, BatchFile file)
    {
        _file = file;
        _path = Path.Combine(directory, file.Name);
        _temporary = _path + ".part";               // the same name every time: a killed process leaves at most one
        _stream = new FileStream(_temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 18);
#pragma warning disable CA5351 // the published checksums are MD5; they find damage, not forgers
        _md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _md5.AppendData(bytes);
        _stream.Write(bytes);
    }

    /// <exception cref="SourceFailedException">The content is not the file's; what was there before stays.</exception>
    public void Commit(string source)
    {
        if (_stream.Position != _file.Bytes)
            throw new SourceFailedException($"{source} gave {_stream.Position:N0} bytes for {_file.Name}, expected {_file.Bytes:N0}");
        var found = Convert.ToHexStringLower(_md5.GetHashAndReset());
        if (found != _file.Md5) throw new SourceFailedException($"{source} gave a {_file.Name} with MD5 {found}, expected {_file.Md5}");
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_temporary, _path, overwrite: true);
        _committed = true;
    }

    public void Dispose()
    {
        _md5.Dispose();
        _stream.Dispose();
        if (!_committed) File.Delete(_temporary);
    }
}
