using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// Reads which wnid each ILSVRC2012_ID stands for out of the devkit's meta.mat: a MATLAB 5.0 MAT-file with one structure
/// array "synsets" (MathWorks, "MAT-File Format", level 5). Only what that file needs: structures, numbers, characters.
/// </summary>
internal static class DevKitSynsets
{
    private const int HeaderBytes = 128, MatrixType = 14, CompressedType = 15, MostBytes = 64 << 20;

    /// <exception cref="UserMistakeException">It is no such file.</exception>
    public static IReadOnlyDictionary<int, string> Read(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (bytes.Length < HeaderBytes + 8 || !bytes.AsSpan().StartsWith("MATLAB 5.0"u8)) throw new FormatException("it does not begin as a MATLAB 5.0 file");
            for (ReadOnlySpan<byte> rest = bytes.AsSpan(HeaderBytes); rest.Length >= 8;)
            {
                var element = Next(ref rest, out var type);
                var matrix = type == CompressedType ? Inflated(element) : type == MatrixType ? element : [];
                if (matrix.Length > 0 && Synsets(matrix) is { Count: > 0 } found) return found;
            }
            throw new FormatException("there is no structure with the fields ILSVRC2012_ID and WNID in it");
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserMistakeException($"{ImageNames.Escape(path)} cannot be read as ILSVRC2012's meta.mat: {ImageNames.Escape(e.Message)}", e);
        }
    }

    private static ReadOnlySpan<byte> Inflated(ReadOnlySpan<byte> element)
    {
        using var zlib = new ZLibStream(new MemoryStream(element.ToArray()), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        var block = new byte[1 << 16];
        for (int read; (read = zlib.Read(block)) > 0;)
        {
            plain.Write(block, 0, read);
            if (plain.Length > MostBytes) throw new FormatException("it unpacks to more than any meta.mat");
        }
        ReadOnlySpan<byte> rest = plain.ToArray();
        var matrix = Next(ref rest, out var type);
        return type == MatrixType ? matrix : [];
    }

    private static Dictionary<int, string>? Synsets(ReadOnlySpan<byte> matrix)
    {
        const int StructureClass = 2;
        var flags = Next(ref matrix, out _);
        if (flags.Length < 8 || flags[0] != StructureClass) return null;
        var count = 1L;
        for (var sizes = Next(ref matrix, out _); sizes.Length >= 4; sizes = sizes[4..]) count *= BinaryPrimitives.ReadInt32LittleEndian(sizes);
        Next(ref matrix, out _);        // the variable's name
        var nameLength = BinaryPrimitives.ReadInt32LittleEndian(Next(ref matrix, out _));
        var fields = Next(ref matrix, out _);
        if (nameLength <= 0 || fields.Length % nameLength != 0 || count is < 0 or > 1 << 20) throw new FormatException("its structure is damaged");
        var names = new string[fields.Length / nameLength];
        for (var i = 0; i < names.Length; i++) names[i] = Encoding.ASCII.GetString(fields.Slice(i * nameLength, nameLength)).TrimEnd('\0');
        var (idField, wnidField) = (Array.IndexOf(names, "ILSVRC2012_ID"), Array.IndexOf(names, "WNID"));
        if (idField < 0 || wnidField < 0) return null;

        var found = new Dictionary<int, string>();
        for (var i = 0L; i < count; i++)
        {
            var (id, wnid) = (0, "");
            for (var field = 0; field < names.Length; field++)
            {
                var value = Next(ref matrix, out _);
                if (field == idField) id = (int)Number(value);
                else if (field == wnidField) wnid = Characters(value);
            }
            if (!found.TryAdd(id, wnid)) throw new FormatException($"ILSVRC2012_ID {id} stands there twice");
        }
        return found;
    }

    private static double Number(ReadOnlySpan<byte> matrix)
    {
        var value = Contents(matrix, out var type);
        return type switch
        {
            1 when value.Length >= 1 => (sbyte)value[0],
            2 when value.Length >= 1 => value[0],
            3 when value.Length >= 2 => BinaryPrimitives.ReadInt16LittleEndian(value),
            4 when value.Length >= 2 => BinaryPrimitives.ReadUInt16LittleEndian(value),
            5 when value.Length >= 4 => BinaryPrimitives.ReadInt32LittleEndian(value),
            6 when value.Length >= 4 => BinaryPrimitives.ReadUInt32LittleEndian(value),
            9 when value.Length >= 8 => BinaryPrimitives.ReadDoubleLittleEndian(value),
            _ => throw new FormatException("an ILSVRC2012_ID is no number"),
        };
    }

    private static string Characters(ReadOnlySpan<byte> matrix)
    {
        var value = Contents(matrix, out var type);
        return type switch
        {
            1 or 2 or 16 => Encoding.UTF8.GetString(value),
            4 or 17 => Encoding.Unicode.GetString(value),
            _ => throw new FormatException("a WNID is no text"),
        };
    }

    /// <summary>Of a matrix: behind its flags, sizes and name.</summary>
    private static ReadOnlySpan<byte> Contents(ReadOnlySpan<byte> matrix, out int type)
    {
        for (var skipped = 0; skipped < 3; skipped++) Next(ref matrix, out _);
        return Next(ref matrix, out type);
    }

    /// <summary>Cuts one element off: eight bytes of type and size and the data up to a multiple of eight, or all in eight bytes when it is small.</summary>
    private static ReadOnlySpan<byte> Next(scoped ref ReadOnlySpan<byte> rest, out int type)
    {
        if (rest.Length < 8) throw new FormatException("it ends inside a structure");
        var head = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        if (head >> 16 is > 0 and <= 4 and var small)
        {
            type = (int)(head & 0xFFFF);
            var inside = rest.Slice(4, (int)small);
            rest = rest[8..];
            return inside;
        }
        type = (int)head;
        var bytes = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        if (bytes > rest.Length - 8) throw new FormatException("it ends inside a structure");
        var data = rest.Slice(8, (int)bytes);
        // What is compressed is not padded.
        rest = rest[(int)Math.Min(rest.Length, type == CompressedType ? 8L + bytes : 8L + (bytes + 7) / 8 * 8)..];
        return data;
    }
}
