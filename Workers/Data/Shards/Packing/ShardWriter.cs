using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>
/// Writes one shard beside its place and moves it there when it is whole and on the disk: what has the shard's name is whole.
/// A sample is two entries, the image and its class as text. One thread.
/// </summary>
internal sealed class ShardWriter : IDisposable
{
    /// <summary>Two blocks of zeros end an archive.</summary>
    private const int EndBytes = 2 * TarHeader.BlockBytes;

    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _block = new byte[TarHeader.BlockBytes];
    private readonly string _path;
    private readonly int _number;
    private long _position;

    public ShardWriter(string directory, string name, int number)
    {
        (Name, _number, _path) = (name, number, Path.Combine(directory, name));
        _file = new FileStream(_path + ShardNames.Partial, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 1 << 20);
    }

    public string Name { get; }

    public List<ShardSample> Samples { get; } = [];

    /// <summary>Bytes that the shard would have with one more sample, and its end.</summary>
    public long LengthWith(int imageBytes) => _position + SampleBytes(imageBytes) + EndBytes;

    /// <summary>Of one sample in a shard.</summary>
    public static long SampleBytes(int imageBytes) => TarHeader.BlockBytes + TarHeader.Padded(imageBytes) + 2 * TarHeader.BlockBytes;

    /// <param name="key">The sample's number in the split.</param>
    /// <param name="extension"><c>jpg</c> or <c>png</c>.</param>
    public void Add(int key, string extension, ReadOnlySpan<byte> image, int label)
    {
        var name = ShardNames.Key(key);
        Header($"{name}.{extension}", image.Length);
        Samples.Add(new ShardSample(_number, image.Length, label, Crc32C.Of(image), _position));
        Content(image);
        var text = Encoding.ASCII.GetBytes(label.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Header($"{name}.cls", text.Length);
        Content(text);
    }

    /// <summary>Ends the archive, brings it to the disk and gives it its name.</summary>
    public ShardFile Finish()
    {
        _block.AsSpan().Clear();
        Put(_block);
        Put(_block);
        _file.Flush(flushToDisk: true);
        _file.Dispose();
        File.Move(_path + ShardNames.Partial, _path, overwrite: true);
        return new ShardFile(Name, _position, Convert.ToHexStringLower(_hash.GetCurrentHash()), Samples.Count);
    }

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void Header(string name, int length)
    {
        TarHeader.Write(_block, name, length);
        Put(_block);
    }

    private void Content(ReadOnlySpan<byte> bytes)
    {
        Put(bytes);
        _block.AsSpan().Clear();
        Put(_block.AsSpan(0, (int)(TarHeader.Padded(bytes.Length) - bytes.Length)));
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _file.Write(bytes);
        _hash.AppendData(bytes);
        _position += bytes.Length;
    }
}
