using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// An index as a file: a mark, arrays with their lengths in front, and the SHA-256 of all that at the end, so that a torn or
/// a damaged file is made anew and never believed. Little-endian.
/// </summary>
internal static class FolderIndexFile
{
    private const int HashBytes = 32;

    private static ReadOnlySpan<byte> Mark => "cluster image index 1\n"u8;

    /// <summary>Writes beside <paramref name="path"/> and renames: who reads at the same time sees the old or the new one.</summary>
    /// <exception cref="IOException">There is no room, or no right.</exception>
    public static void Write(string path, FolderIndex index)
    {
        var temporary = $"{path}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var writer = new Writer(file, hash);
                writer.Raw(Mark);
                writer.Text(index.ContentHash);
                writer.Texts(index.Classes);
                writer.Texts(index.ClassNames);
                writer.Long(index.OtherFiles);
                writer.Texts([.. index.Watched.Select(static watched => watched.Path)]);
                writer.Array<long>([.. index.Watched.Select(static watched => watched.Ticks)]);
                writer.Texts([.. index.Passed.Select(static passed => passed.Path)]);
                writer.Texts([.. index.Passed.Select(static passed => passed.Reason)]);
                Write(writer, index.Train);
                Write(writer, index.Test);
                file.Write(hash.GetHashAndReset());
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Null when there is none, or none that can be believed.</summary>
    public static FolderIndex? Read(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (bytes.Length < Mark.Length + HashBytes || !bytes.AsSpan().StartsWith(Mark)) return null;
            if (!SHA256.HashData(bytes.AsSpan(..^HashBytes)).AsSpan().SequenceEqual(bytes.AsSpan(^HashBytes..))) return null;
            var reader = new Reader(bytes, Mark.Length);
            var (contentHash, classes, names, others) = (reader.Text(), reader.Texts(), reader.Texts(), reader.Long());
            var watched = reader.Texts().Zip(reader.Array<long>(), static (path, ticks) => new WatchedPath(path, ticks)).ToArray();
            var passed = reader.Texts().Zip(reader.Texts(), static (path, reason) => new PassedOver(path, reason)).ToArray();
            return new FolderIndex(classes, names, Split(reader), Split(reader), watched, others, passed) { ContentHash = contentHash };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static void Write(Writer writer, SplitIndex split)
    {
        writer.Texts(split.Folders);
        writer.Array<int>(split.FirstOf);
        writer.Array<byte>(split.Names);
        writer.Array<int>(split.NameEnds);
        writer.Array<int>(split.Labels);
        writer.Array<uint>(split.Facts.Bytes);
        writer.Array<long>(split.Facts.Ticks);
        writer.Array<int>(split.Facts.Widths);
        writer.Array<int>(split.Facts.Heights);
        writer.Array<byte>(split.Facts.Kinds);
    }

    private static SplitIndex Split(Reader reader)
    {
        var (folders, firsts, names, ends, labels) = (reader.Texts(), reader.Array<int>(), reader.Array<byte>(), reader.Array<int>(), reader.Array<int>());
        return new SplitIndex(folders, firsts, names, ends, labels, new FileFacts(0)
        {
            Bytes = reader.Array<uint>(),
            Ticks = reader.Array<long>(),
            Widths = reader.Array<int>(),
            Heights = reader.Array<int>(),
            Kinds = reader.Array<byte>(),
        });
    }

    private sealed class Writer(Stream file, IncrementalHash hash)
    {
        public void Raw(ReadOnlySpan<byte> bytes)
        {
            file.Write(bytes);
            hash.AppendData(bytes);
        }

        public void Long(long value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            Raw(bytes);
        }

        public void Array<T>(ReadOnlySpan<T> values) where T : unmanaged
        {
            var bytes = MemoryMarshal.AsBytes(values);
            Long(bytes.Length);
            Raw(bytes);
        }

        public void Text(string text) => Array<byte>(Encoding.UTF8.GetBytes(text));

        public void Texts(IReadOnlyList<string> texts)
        {
            Long(texts.Count);
            foreach (var text in texts) Text(text);
        }
    }

    /// <summary>Whose lengths are bounded by what is there; the hash was right before.</summary>
    private sealed class Reader(byte[] bytes, int at)
    {
        private int _at = at;

        public long Long()
        {
            var value = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(_at, 8));
            _at += 8;
            return value;
        }

        public T[] Array<T>() where T : unmanaged
        {
            var length = (int)Long();
            var values = MemoryMarshal.Cast<byte, T>(bytes.AsSpan(_at, length)).ToArray();
            _at += length;
            return values;
        }

        public string Text() => Encoding.UTF8.GetString(Array<byte>());

        public string[] Texts()
        {
            var count = Long();
            if (count < 0 || count > (bytes.Length - _at) / sizeof(long)) throw new ArgumentException("it counts more than it holds");
            var texts = new string[(int)count];
            for (var i = 0; i < texts.Length; i++) texts[i] = Text();
            return texts;
        }
    }
}
