using System.Security.Cryptography;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// A file whose SHA-256 is taken while it is written. Small pieces are gathered; large ones go from the caller's memory
/// to the disk. Not thread-safe.
/// </summary>
internal sealed class HashingFile(ICheckpointFile file) : IDisposable
{
    private const int GatherBytes = 1 << 18;
    private const int WriteBytes = 1 << 20;     // hashed while it is in the cache, then written

    private readonly IncrementalHash _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _gathered = new byte[GatherBytes];
    private int _count;

    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (bytes.Length > GatherBytes - _count) Spill();
        if (bytes.Length <= GatherBytes)
        {
            bytes.CopyTo(_gathered.AsSpan(_count));
            _count += bytes.Length;
            return;
        }
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(WriteBytes, bytes.Length)..]) Emit(bytes[..Math.Min(WriteBytes, bytes.Length)]);
    }

    /// <summary>Everything to the disk; then the hash in lower-case hex.</summary>
    public string Finish()
    {
        Spill();
        file.Flush();
        return Convert.ToHexStringLower(_sha.GetHashAndReset());
    }

    public void Dispose()
    {
        _sha.Dispose();
        file.Dispose();
    }

    private void Spill()
    {
        if (_count == 0) return;
        Emit(_gathered.AsSpan(0, _count));
        _count = 0;
    }

    private void Emit(ReadOnlySpan<byte> bytes)
    {
        _sha.AppendData(bytes);
        file.Append(bytes);
    }
}
