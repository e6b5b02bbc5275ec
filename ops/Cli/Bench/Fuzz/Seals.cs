using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.TensorBoard;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>Checksums made right for bytes that are wrong: a forger's work, and the only way to what lies behind them.</summary>
internal static class Seals
{
    private const int FixedBytes = 20, SummedBytes = 16, TrailerBytes = 4;

    /// <summary>Frames of the link, one after another: the magic, the sum of the fixed part, and that over everything where the lengths allow.</summary>
    public static byte[] Frames(byte[] bytes)
    {
        for (var at = 0L; at + FixedBytes <= bytes.Length;)
        {
            var fixedPart = bytes.AsSpan((int)at, FixedBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(fixedPart, 0x4B_4E_4C_43);
            BinaryPrimitives.WriteUInt32LittleEndian(fixedPart[SummedBytes..], Crc32C.Of(fixedPart[..SummedBytes]));
            var total = FixedBytes + (long)BinaryPrimitives.ReadUInt32LittleEndian(fixedPart[8..]) + 4L * BinaryPrimitives.ReadUInt32LittleEndian(fixedPart[12..]) + TrailerBytes;
            if (at + total > bytes.Length) break;
            var frame = bytes.AsSpan((int)at, (int)total);
            BinaryPrimitives.WriteUInt32LittleEndian(frame[^TrailerBytes..], Crc32C.Of(frame[..^TrailerBytes]));
            at += total;
        }
        return bytes;
    }

    /// <summary>The last 32 bytes are the SHA-256 of all before them.</summary>
    public static byte[] Sha256AtEnd(byte[] bytes)
    {
        if (bytes.Length > 32) SHA256.HashData(bytes.AsSpan(..^32)).CopyTo(bytes.AsSpan(^32..));
        return bytes;
    }

    /// <summary>Lines of commits.jsonl: the checksum that ends each.</summary>
    public static byte[] CommitLines(byte[] bytes)
    {
        const int Tail = 18;        // ,"crc":"........"}
        for (var start = 0; start < bytes.Length;)
        {
            var length = bytes.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0) break;
            if (length > Tail)
            {
                var line = bytes.AsSpan(start, length);
                Encoding.ASCII.GetBytes($",\"crc\":\"{Crc32C.Of(line[..^Tail]):x8}\"}}").CopyTo(line[^Tail..]);
            }
            start += length + 1;
        }
        return bytes;
    }

    /// <summary>Headers of a tar archive: the sum of their 512 bytes.</summary>
    public static byte[] Tar(byte[] bytes)
    {
        for (var at = 0; at + 512 <= bytes.Length; at += 512)
        {
            var block = bytes.AsSpan(at, 512);
            if (!block.Slice(257, 5).SequenceEqual("ustar"u8)) continue;
            block.Slice(148, 8).Fill((byte)' ');
            var sum = 0;
            foreach (var b in block) sum += b;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block.Slice(148, 8));
        }
        return bytes;
    }

    /// <summary>Chunks of a PNG: the CRC-32 behind each.</summary>
    public static byte[] Png(byte[] bytes)
    {
        for (var at = 8L; at + 12 <= bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan((int)at));
            if (at + 12 + length > bytes.Length) break;
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan((int)(at + 8 + length)), Crc32(bytes.AsSpan((int)at + 4, (int)length + 4)));
            at += 12 + length;
        }
        return bytes;
    }

    /// <summary>Records of TensorBoard's event files: both masked sums of each.</summary>
    public static byte[] EventRecords(byte[] bytes)
    {
        for (var at = 0L; at + 16 <= bytes.Length;)
        {
            var header = bytes.AsSpan((int)at, 12);
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], EventRecord.MaskedCrc(header[..8]));
            var length = BinaryPrimitives.ReadUInt64LittleEndian(header);
            if (length > (ulong)(bytes.Length - at - 16)) break;
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan((int)(at + 12) + (int)length), EventRecord.MaskedCrc(bytes.AsSpan((int)at + 12, (int)length)));
            at += 16 + (long)length;
        }
        return bytes;
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>PNG's, ITU-T V.42.</summary>
    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }
}
