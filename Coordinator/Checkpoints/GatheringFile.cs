namespace Cluster.Coordinator.Checkpoints;

/// <summary>A file that is written in few calls: small pieces are gathered, large ones go from the caller's memory to the disk. Not thread-safe.</summary>
internal sealed class GatheringFile(ICheckpointFile file) : IDisposable
{
    private const int GatherBytes = 1 << 18;
    private const int WriteBytes = 1 << 20;

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
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(WriteBytes, bytes.Length)..]) file.Append(bytes[..Math.Min(WriteBytes, bytes.Length)]);
    }

    /// <summary>Hands the gathered bytes over.</summary>
    public void Spill()
    {
        if (_count == 0) return;
        file.Append(_gathered.AsSpan(0, _count));
        _count = 0;
    }

    /// <summary>Makes everything survive a power loss.</summary>
    public void Flush()
    {
        Spill();
        file.Flush();
    }

    public void Dispose() => file.Dispose();
}
