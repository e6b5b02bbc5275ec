using System.Text;
using Cluster.Workers.Data.Shards;

namespace Cluster.Data.Tests.Shards;

/// <summary>Archives as others make them, byte by byte.</summary>
internal sealed class TarBytes
{
    private readonly MemoryStream _bytes = new();

    public byte[] Whole => [.. _bytes.ToArray(), .. new byte[1024]];

    public byte[] WithoutEnd => _bytes.ToArray();

    public TarBytes File(string name, byte[] content, char type = '0', long? length = null)
    {
        var block = new byte[512];
        TarHeader.Write(block, "x", length ?? content.Length);
        block.AsSpan(0, 100).Clear();
        Encoding.UTF8.GetBytes(name).AsSpan(0, Math.Min(100, Encoding.UTF8.GetByteCount(name))).CopyTo(block);
        block[156] = (byte)type;
        Sum(block);
        _bytes.Write(block);
        _bytes.Write(content);
        _bytes.Write(new byte[(512 - content.Length % 512) % 512]);
        return this;
    }

    public TarBytes File(string name, string content, char type = '0') => File(name, Encoding.ASCII.GetBytes(content), type);

    public TarBytes Sample(string key, byte[] image, int label) => File(key + ".jpg", image).File(key + ".cls", $"{label}");

    public TarBytes Pax(params (string Key, string Value)[] records)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in records)
        {
            var bare = Encoding.UTF8.GetByteCount($" {key}={value}\n");
            var length = bare + 1;
            while (length != bare + $"{length}".Length) length = bare + $"{length}".Length;
            text.Append($"{length} {key}={value}\n");
        }
        return File("pax", Encoding.UTF8.GetBytes(text.ToString()), 'x');
    }

    public static void Sum(byte[] block)
    {
        "        "u8.CopyTo(block.AsSpan(148));
        Encoding.ASCII.GetBytes(Convert.ToString(block.Sum(static b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(block, 148);
    }
}
