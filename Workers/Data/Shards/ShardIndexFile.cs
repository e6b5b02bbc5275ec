using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>
/// The index of one split as a file, all numbers little-endian: <c>CLSHARDS</c>, version (4 bytes), number of classes (4) and
/// their names, number of shards (4) and for each its name, length (8), SHA-256 (32) and samples (4); number of samples (4) and
/// for each offset (8), length (4), label (4), CRC32C (4); SHA-256 of everything before (32). A name is a length (2) and UTF-8.
/// </summary>
internal static class ShardIndexFile
{
    public const int Version = 1;

    private const int HashBytes = 32, SampleBytes = 20;

    private static ReadOnlySpan<byte> Magic => "CLSHARDS"u8;

    public static byte[] Write(ShardIndex index)
    {
        using var memory = new MemoryStream();
        using (var to = new BinaryWriter(memory, Encoding.UTF8, leaveOpen: true))
        {
            to.Write(Magic);
            to.Write(Version);
            to.Write(index.ClassNames.Count);
            foreach (var name in index.ClassNames) Name(to, name);
            to.Write(index.Shards.Count);
            foreach (var shard in index.Shards)
            {
                Name(to, shard.Name);
                to.Write(shard.Length);
                to.Write(Convert.FromHexString(shard.Sha256));
                to.Write(shard.Samples);
            }
            to.Write(index.Samples.Length);
            Span<byte> record = stackalloc byte[SampleBytes];
            foreach (var sample in index.Samples)
            {
                BinaryPrimitives.WriteInt64LittleEndian(record, sample.Offset);
                BinaryPrimitives.WriteInt32LittleEndian(record[8..], sample.Length);
                BinaryPrimitives.WriteInt32LittleEndian(record[12..], sample.Label);
                BinaryPrimitives.WriteUInt32LittleEndian(record[16..], sample.Crc);
                to.Write(record);
            }
        }
        memory.Write(SHA256.HashData(memory.GetBuffer().AsSpan(0, (int)memory.Length)));
        return memory.ToArray();
    }

    public static string FingerprintOf(ShardIndex index) => Convert.ToHexStringLower(Write(index).AsSpan()[^HashBytes..]);

    /// <exception cref="InvalidDataException">It is no index, of another version, or damaged; one line that completes "the index …".</exception>
    public static ShardIndex Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Magic.Length + 4 || !bytes.StartsWith(Magic)) throw new InvalidDataException("is none: it does not begin as an index of shards does");
        var version = BinaryPrimitives.ReadInt32LittleEndian(bytes[Magic.Length..]);
        if (version != Version) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"is of version {version}, and this program reads version {Version}: pack again with it"));
        if (bytes.Length < Magic.Length + 4 + HashBytes || !SHA256.HashData(bytes[..^HashBytes]).AsSpan().SequenceEqual(bytes[^HashBytes..]))
            throw new InvalidDataException("is damaged or was not copied whole: its checksum does not fit");
        var from = new Cursor(bytes[(Magic.Length + 4)..^HashBytes]);
        var classes = new string[from.Count(2, Limits.MaxClasses)];
        for (var i = 0; i < classes.Length; i++) classes[i] = from.Name();
        var shards = new ShardFile[from.Count(2 + 8 + HashBytes + 4, Limits.MaxShardFiles)];
        for (var i = 0; i < shards.Length; i++) shards[i] = new ShardFile(from.Name(), from.Int64(), Convert.ToHexStringLower(from.Take(HashBytes)), from.Int32());
        var samples = new ShardSample[from.Count(SampleBytes, int.MaxValue)];
        var (shard, left) = (0, shards.Length > 0 ? shards[0].Samples : 0);
        for (var i = 0; i < samples.Length; i++, left--)
        {
            while (left <= 0 && shard < shards.Length - 1) left = shards[++shard].Samples;
            var (offset, length, label, crc) = (from.Int64(), from.Int32(), from.Int32(), (uint)from.Int32());
            samples[i] = new ShardSample(shard, length, label, crc, offset);
        }
        if (!from.IsAtEnd) throw new InvalidDataException("is damaged: something follows its samples");
        return new ShardIndex(classes, shards, samples);
    }

    private static void Name(BinaryWriter to, string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        if (bytes.Length > Limits.MaxArchiveNameBytes) throw new UserMistakeException($"the name '{name[..60]}…' has more than {Limits.MaxArchiveNameBytes} bytes");
        to.Write((ushort)bytes.Length);
        to.Write(bytes);
    }

    private ref struct Cursor(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public readonly bool IsAtEnd => _rest.IsEmpty;

        public ReadOnlySpan<byte> Take(int count)
        {
            if (count > _rest.Length) throw new InvalidDataException("is damaged: it ends too early");
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

        public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

        public string Name() => Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadUInt16LittleEndian(Take(2))));

        /// <summary>A number of things of at least so many bytes each: no more than there can be.</summary>
        public int Count(int bytesEach, int most)
        {
            var count = Int32();
            return count >= 0 && count <= most && count <= _rest.Length / bytesEach ? count : throw new InvalidDataException("is damaged: it counts more than it holds");
        }
    }
}
